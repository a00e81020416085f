

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('departments', '0003_opening_hours'),
        ('inbox', '0007_what_people_tell'),
        ('routing', '0004_rooms_for_learning'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HeldOut',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('right', models.CharField(max_length=50)),
                ('guesses', models.JSONField(default=list)),
            ],
            options={
                'verbose_name_plural': 'held out',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='LearningMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('harvested_until', models.DateTimeField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ThresholdOverride',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('label', models.CharField(max_length=50)),
                ('value', models.FloatField(null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-id'],
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='correction',
            name='noted_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name='routingmodel',
            name='vocabulary',
            field=models.BinaryField(default=bytes),
        ),
        migrations.AddIndex(
            model_name='correction',
            index=models.Index(fields=['noted_at'], name='correction_noted'),
        ),
        migrations.AddField(
            model_name='heldout',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.message'),
        ),
        migrations.AddField(
            model_name='heldout',
            name='model',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='held_out', to='routing.routingmodel'),
        ),
        migrations.AddField(
            model_name='thresholdoverride',
            name='by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='heldout',
            constraint=models.UniqueConstraint(fields=('model', 'message'), name='held_out_once'),
        ),
    ]
