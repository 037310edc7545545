import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
        ('numbers', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='channel',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='numbers.channel', verbose_name='channel'),
        ),
        migrations.AddField(
            model_name='membership',
            name='customer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='numbers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='membership',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL, verbose_name='user'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['object_type', 'object_id', '-at'], name='audit_object'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['-at'], name='audit_at'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['customer_ref', '-at'], name='audit_customer'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['task_ref'], name='audit_task'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('channel__isnull', True), ('customer__isnull', True), _connector='OR'), name='membership_one_scope', violation_error_message='Choose a channel or a customer, not both. Neither: the whole system.'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'operator', 'lite', 'monitor'])), name='membership_known_role', violation_error_message='There is no such role.'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(condition=models.Q(('channel__isnull', True), ('customer__isnull', True)), fields=('user',), name='membership_one_role_system', violation_error_message='This person already has a role for the whole system. Change that one.'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(condition=models.Q(('channel__isnull', False)), fields=('user', 'channel'), name='membership_one_role_channel', violation_error_message='This person already has a role for this channel. Change that one.'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(condition=models.Q(('customer__isnull', False)), fields=('user', 'customer'), name='membership_one_role_customer', violation_error_message='This person already has a role for this customer. Change that one.'),
        ),
    ]
