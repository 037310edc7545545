import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='correlation id')),
                ('kind', models.CharField(max_length=32, verbose_name='kind')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('asking', 'Needs a decision'), ('cancelling', 'Cancelling'), ('succeeded', 'Succeeded'), ('partial', 'Partly succeeded'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=12, verbose_name='state')),
                ('actor_name', models.CharField(blank=True, max_length=150, verbose_name='started by')),
                ('channel', models.CharField(choices=[('web', 'Web'), ('api', 'API'), ('csv', 'CSV import'), ('schedule', 'Schedule'), ('command', 'Command line'), ('admin', 'Django admin')], max_length=12, verbose_name='through')),
                ('ticket', models.CharField(blank=True, max_length=64, verbose_name='ticket')),
                ('customer_ref', models.BigIntegerField(blank=True, null=True, verbose_name='customer id')),
                ('channel_ref', models.BigIntegerField(blank=True, null=True, verbose_name='channel id')),
                ('unique_key', models.CharField(blank=True, help_text='Two living tasks never share one.', max_length=100, verbose_name='unique while alive')),
                ('params', models.JSONField(blank=True, default=dict, verbose_name='parameters')),
                ('cursor', models.JSONField(blank=True, default=dict, help_text='Where the next slice goes on.', verbose_name='cursor')),
                ('result', models.JSONField(blank=True, default=dict, verbose_name='result')),
                ('step', models.CharField(blank=True, max_length=200, verbose_name='current step')),
                ('message', models.TextField(blank=True, verbose_name='message')),
                ('error_code', models.CharField(blank=True, max_length=64, verbose_name='error code')),
                ('question', models.JSONField(blank=True, default=dict, help_text='What a person has to decide.', verbose_name='question')),
                ('total', models.PositiveIntegerField(blank=True, null=True, verbose_name='total')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('succeeded', models.PositiveIntegerField(default=0, verbose_name='succeeded')),
                ('unchanged', models.PositiveIntegerField(default=0, verbose_name='unchanged')),
                ('refused', models.PositiveIntegerField(default=0, verbose_name='refused')),
                ('failed', models.PositiveIntegerField(default=0, verbose_name='failed')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('next_run_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='next run')),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True, verbose_name='last sign of life')),
                ('lease_owner', models.CharField(blank=True, max_length=100, verbose_name='held by')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='held until')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='failed attempts in a row')),
                ('losses', models.PositiveIntegerField(default=0, verbose_name='workers lost in a row')),
                ('slices', models.PositiveIntegerField(default=0, verbose_name='slices')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
                ('retry_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='retries', to='tasks.task')),
            ],
            options={
                'verbose_name': 'task',
                'verbose_name_plural': 'tasks',
                'ordering': ('-created_at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='TaskItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=16, verbose_name='number')),
                ('customer_ref', models.BigIntegerField(blank=True, null=True, verbose_name='customer id')),
                ('channel_ref', models.BigIntegerField(blank=True, null=True, verbose_name='channel id')),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('unchanged', 'Unchanged'), ('refused', 'Refused'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='pending', max_length=10, verbose_name='outcome')),
                ('code', models.CharField(blank=True, max_length=64, verbose_name='code')),
                ('message', models.CharField(blank=True, max_length=500, verbose_name='message')),
                ('data', models.JSONField(blank=True, default=dict, verbose_name='data')),
                ('upstream_ids', models.JSONField(blank=True, default=dict, verbose_name='upstream ids')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='changed')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='tasks.task', verbose_name='task')),
            ],
            options={
                'verbose_name': 'task item',
                'verbose_name_plural': 'task items',
                'ordering': ('pk',),
            },
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['state', 'next_run_at'], name='task_due'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['-created_at'], name='task_created'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['kind', '-created_at'], name='task_kind'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'waiting', 'asking', 'cancelling', 'succeeded', 'partial', 'failed', 'cancelled'])), name='task_known_state'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['asking', 'cancelling', 'queued', 'running', 'waiting']), models.Q(('unique_key', ''), _negated=True)), fields=('unique_key',), name='task_one_alive_per_key'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state__in', ['asking', 'cancelling', 'queued', 'running', 'waiting'])), models.Q(models.Q(('state__in', ['asking', 'cancelling', 'queued', 'running', 'waiting']), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='task_finished_iff_not_alive'),
        ),
        migrations.AddIndex(
            model_name='taskitem',
            index=models.Index(fields=['task', 'state', 'id'], name='item_task_state'),
        ),
        migrations.AddIndex(
            model_name='taskitem',
            index=models.Index(fields=['key', '-updated_at'], name='item_key'),
        ),
        migrations.AddConstraint(
            model_name='taskitem',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'running', 'succeeded', 'unchanged', 'refused', 'failed', 'cancelled'])), name='item_known_state'),
        ),
        migrations.AddConstraint(
            model_name='taskitem',
            constraint=models.UniqueConstraint(fields=('task', 'key'), name='item_once_per_task'),
        ),
        migrations.AddConstraint(
            model_name='taskitem',
            constraint=models.UniqueConstraint(models.F('key'), condition=models.Q(('state__in', ['pending', 'running'])), name='item_one_running_per_number'),
        ),
    ]
