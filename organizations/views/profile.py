"""个人设置: what the portal knows of its user, and what the user may change."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from organizations import second_factor, sessions, sign_in
from organizations.forms.sign_in import EmailForm


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    form = EmailForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        request.user.save(update_fields=["email", "wants_mail"])
        messages.success(request, gettext("邮箱和邮件提醒已保存。"))
        return redirect("profile")
    return render(
        request,
        "registration/profile.html",
        {
            "form": form,
            "roles": request.user.all_roles,
            "sign_ins": sign_in.recent(request.user),
            "factor_offered": second_factor.is_offered(),
            "factor_required": second_factor.is_required(request.user),
            "factor_enrolled": second_factor.is_enrolled(request.user),
            "codes_left": second_factor.recovery_codes_left(request.user),
        },
    )


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    sessions.end_others(request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, gettext("其他设备上的登录已全部退出，这台设备不受影响。"))
    return redirect("profile")
