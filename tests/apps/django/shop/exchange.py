"""What is shared with a Rust service next door, by the same paths as in tests/apps/axum."""
import datetime
import json
from unittest import mock

from django.contrib import messages
from django.contrib.auth import authenticate, get_user_model, login, logout
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.models import Session
from django.core import signing
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST


class QuickPBKDF2(PBKDF2PasswordHasher):
    """Django's default hash, quick on purpose: the tests log in often."""

    iterations = 1000


class Text:
    """A serializer that leaves the JSON alone."""

    def loads(self, data):
        return data.decode("latin-1")

    def dumps(self, text):
        return text.encode("latin-1")


def name(request):
    user = request.user
    return JsonResponse({"username": user.username if user.is_authenticated else None})


@csrf_exempt
def log_in(request):
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is not None:
        login(request, user)
    return name(request)


@csrf_exempt
@require_POST
def log_out(request):
    logout(request)
    return name(request)


@csrf_exempt
@require_POST
def account(request):
    """Somebody's password is changed, or the account is closed or opened, as by an administrator."""
    user = get_user_model().objects.get(username=request.POST["username"])
    if "password" in request.POST:
        user.set_password(request.POST["password"])
    if "active" in request.POST:
        user.is_active = request.POST["active"] == "yes"
    user.save()
    return HttpResponse()


@csrf_exempt
def session(request):
    if request.method != "POST":
        return JsonResponse(dict(request.session.items()))
    # Python's own reading: NaN, Infinity and whole numbers of any size stay what they are.
    for key, value in json.loads(request.body).items():
        if value is None:
            request.session.pop(key, None)
        else:
            request.session[key] = value
    return HttpResponse()


def row(request):
    """The row as it is stored, and the JSON that is signed in it, character by character."""
    stored = Session.objects.get(session_key=request.GET["key"])
    text = signing.loads(
        stored.session_data, salt="django.contrib.sessions.SessionStore", serializer=Text
    )
    return JsonResponse({"data": stored.session_data, "json": text})


@csrf_exempt
@require_POST
def forge(request):
    """A row as one likes it: signed with another key or salt, at another time, spoilt or expired."""
    how = json.loads(request.body)
    with mock.patch("django.core.signing.time.time", return_value=how["stamp"]):
        data = signing.dumps(
            how["json"], key=how.get("key"), salt=how["salt"], serializer=Text, compress=how.get("compress", False)
        )
    flip = how.get("flip")
    if flip is not None:
        # Another character of the same alphabet, never the same.
        data = data[:flip] + ("A" if data[flip] != "A" else "B") + (data[flip + 1 :] if flip != -1 else "")
    data = how.get("instead", data)
    expires = datetime.datetime.fromtimestamp(how["expires"], tz=datetime.timezone.utc)
    Session.objects.update_or_create(
        session_key=how["row"], defaults={"session_data": data, "expire_date": expires}
    )
    return HttpResponse(data)


@csrf_exempt
def signed(request):
    if request.method == "POST":
        response = JsonResponse(True, safe=False)
        response.set_signed_cookie(request.POST["name"], request.POST["value"], salt=request.POST.get("salt", ""))
        return response
    max_age = request.GET.get("max_age")
    try:
        value = request.get_signed_cookie(
            request.GET["name"], salt=request.GET.get("salt", ""), max_age=int(max_age) if max_age else None
        )
    except KeyError:
        value = None
    except signing.BadSignature as error:
        return JsonResponse({"error": type(error).__name__})
    return JsonResponse({"value": value})


@csrf_exempt
def says(request):
    if request.method == "POST":
        messages.warning(request, request.POST["value"])
        return HttpResponse()
    told = [{"level": m.level, "text": m.message} for m in messages.get_messages(request)]
    return JsonResponse(told, safe=False)


@csrf_protect
def token(request):
    return HttpResponse("checked" if request.method == "POST" else get_token(request))


urlpatterns = [
    path("me/", name),
    path("login/", log_in),
    path("logout/", log_out),
    path("account/", account),
    path("session/", session),
    path("row/", row),
    path("forge/", forge),
    path("signed/", signed),
    path("messages/", says),
    path("token/", token),
]
