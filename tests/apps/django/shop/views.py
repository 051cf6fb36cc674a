"""Views that show what the app sees, and the ordinary things an app does."""
import hashlib
import json
import os
import time

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie


@ensure_csrf_cookie
def home(request):
    visits = request.session.get("visits", 0) + 1
    request.session["visits"] = visits
    return render(request, "home.html", {"visits": visits})


@csrf_exempt
def echo(request):
    """The request as Django understood it."""
    return JsonResponse(
        {
            "method": request.method,
            "is_secure": request.is_secure(),
            "host": request.get_host(),
            "port": request.get_port(),
            "url": request.build_absolute_uri(),
            "user": request.user.get_username(),
            "cookies": request.COOKIES,
            "headers": dict(request.headers),
            "meta": {
                name: value
                for name, value in request.META.items()
                if isinstance(value, str) and (name.startswith("HTTP_") or name in ("REMOTE_ADDR", "SERVER_PORT"))
            },
            "body_sha256": hashlib.sha256(request.body).hexdigest(),
        }
    )


SEEN = {}


@csrf_exempt
def whoami(request):
    """Who asks; and notes it under the name in `as`."""
    user = request.user.get_username() or "nobody"
    SEEN.setdefault(request.GET.get("as", ""), []).append(user)
    return HttpResponse("<!doctype html><title>who</title><p id=user>%s</p>" % user)


def seen(request):
    """Who asked whoami, by the names in `as`."""
    return JsonResponse(SEEN)


def order(request):
    """A form with CSRF protection; the answer comes as a message after a redirect."""
    if request.method == "POST":
        messages.success(request, "ordered: %s" % request.POST.get("item", ""))
        return redirect("/order/")
    return render(request, "order.html")


@ensure_csrf_cookie
def order_json(request):
    """The same for scripts, which read `csrftoken` and send X-CSRFToken."""
    if request.method == "POST":
        return JsonResponse({"ordered": json.loads(request.body)["item"]})
    return render(request, "order_json.html")


def set_cookies(request):
    response = HttpResponse("set")
    response.set_cookie("theme", "dark", max_age=3600)
    response.set_cookie("sid", "opaque", httponly=True)
    response.set_cookie("cart", "1", path="/cart/", httponly=True)
    response.set_cookie("strict", "1", samesite="Strict")
    return response


def delete_cookies(request):
    response = HttpResponse("deleted")
    for name in ("theme", "sid", "strict"):
        response.delete_cookie(name)
    response.delete_cookie("cart", path="/cart/")
    return response


def redirect_home(request):
    return HttpResponseRedirect(request.build_absolute_uri("/"))


def events(request):
    """Server-sent events, one every 300 ms, each with the time it was made."""

    def stream():
        for number in range(5):
            yield "id: %d\ndata: %.6f\n\n" % (number, time.time())
            time.sleep(0.3)

    response = StreamingHttpResponse(stream(), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    return response


@csrf_exempt
def upload(request):
    """The digest of what arrived, read in pieces so that its size does not matter."""
    digest, size = hashlib.sha256(), 0
    while piece := request.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    return JsonResponse({"sha256": digest.hexdigest(), "size": size})


def download(request, size):
    """`size` bytes that repeat no block, with their digest in a header."""
    block = hashlib.shake_256(b"sealwax").digest(1 << 20)
    digest, left, number = hashlib.sha256(), size, 0
    pieces = []
    while left > 0:
        piece = (b"%016d" % number + block[16:])[: min(left, 1 << 20)]
        digest.update(piece)
        pieces.append((number, len(piece)))
        left -= len(piece)
        number += 1

    def stream():
        for number, length in pieces:
            yield (b"%016d" % number + block[16:])[:length]

    response = StreamingHttpResponse(stream(), content_type="application/octet-stream")
    response["Content-Length"] = str(size)
    response["X-Sha256"] = digest.hexdigest()
    response["X-Pid"] = str(os.getpid())
    return response
