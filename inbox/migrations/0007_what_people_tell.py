

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('departments', '0003_opening_hours'),
        ('inbox', '0006_counting_in_one_go'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='change',
            index=models.Index(condition=models.Q(('verb__in', ['move', 'resolve', 'reopen', 'confirm'])), fields=['at'], name='change_tells'),
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(condition=models.Q(('undone_at__isnull', False), ('verb__in', ['move', 'resolve', 'reopen', 'confirm'])), fields=['undone_at'], name='change_untold'),
        ),
        migrations.AddIndex(
            model_name='handoff',
            index=models.Index(condition=models.Q(('accepted_at__isnull', False), ('reason', 'wrong_department')), fields=['accepted_at'], name='hand_off_corrects'),
        ),
    ]
