import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='SBC',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('fqdn', models.CharField(blank=True, max_length=253, verbose_name='FQDN')),
                ('ip_address', models.GenericIPAddressField(blank=True, null=True, verbose_name='IP address')),
                ('rest_url', models.URLField(blank=True, help_text='Base address of its REST interface.', verbose_name='REST address')),
                ('dial_plan', models.CharField(default='OCDialPlan', max_length=64, verbose_name='dial plan')),
                ('prefix_hash', models.BooleanField(default=True, help_text='A prefix without # also matches longer numbers.', verbose_name='write # after prefixes')),
                ('max_rules', models.PositiveIntegerField(blank=True, null=True, verbose_name='capacity in rules')),
                ('note', models.TextField(blank=True, verbose_name='note')),
            ],
            options={
                'verbose_name': 'SBC',
                'verbose_name_plural': 'SBCs',
                'ordering': ('name',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('fqdn', ''), _negated=True), fields=('fqdn',), name='sbc_fqdn_once')],
            },
        ),
        migrations.CreateModel(
            name='DialPlanRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dial_plan', models.CharField(default='OCDialPlan', max_length=64, verbose_name='dial plan')),
                ('name', models.CharField(blank=True, max_length=64, verbose_name='rule name')),
                ('prefix', models.CharField(help_text='Without the trailing #.', max_length=50, verbose_name='prefix')),
                ('tag', models.CharField(blank=True, max_length=253, verbose_name='tag')),
                ('wanted', models.BooleanField(default=True, verbose_name='wanted')),
                ('present', models.BooleanField(blank=True, help_text='Empty: never looked.', null=True, verbose_name='present')),
                ('checked_at', models.DateTimeField(blank=True, null=True, verbose_name='last looked at')),
                ('sbc', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='sbc.sbc', verbose_name='SBC')),
            ],
            options={
                'verbose_name': 'dial plan rule',
                'verbose_name_plural': 'dial plan rules',
                'ordering': ('sbc', 'dial_plan', 'prefix'),
                'indexes': [models.Index(fields=['prefix'], name='rule_prefix')],
                'constraints': [models.UniqueConstraint(fields=('sbc', 'dial_plan', 'prefix'), name='rule_once_per_plan'), models.CheckConstraint(condition=models.Q(('prefix__endswith', '#'), _negated=True), name='rule_prefix_without_hash')],
            },
        ),
    ]
