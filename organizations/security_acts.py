"""What happened to an account's credentials, as the record calls it."""

from django.db.models import TextChoices


class SecurityAct(TextChoices):
    FIRST_PASSWORD_ISSUED = "FIRST_PASSWORD_ISSUED", "发放初始密码"
    PASSWORD_SET = "PASSWORD_SET", "设定密码"
    SESSIONS_ENDED = "SESSIONS_ENDED", "退出其他设备"
    UNLOCKED = "UNLOCKED", "解除登录锁定"
    SECOND_FACTOR_ENROLLED = "SECOND_FACTOR_ENROLLED", "启用二次验证"
    SECOND_FACTOR_DISABLED = "SECOND_FACTOR_DISABLED", "关闭二次验证"
    SECOND_FACTOR_RESET = "SECOND_FACTOR_RESET", "重置二次验证"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED", "使用恢复码"
    RECOVERY_CODES_RENEWED = "RECOVERY_CODES_RENEWED", "更换恢复码"
