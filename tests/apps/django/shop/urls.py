"""Where each view lives."""
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from . import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", auth.LoginView.as_view(template_name="login.html")),
    path("logout/", auth.LogoutView.as_view(next_page="/")),
    path("", views.home),
    path("echo/", views.echo),
    path("whoami/", views.whoami),
    path("seen/", views.seen),
    path("order/", views.order),
    path("order/json/", views.order_json),
    path("cookies/set/", views.set_cookies),
    path("cookies/delete/", views.delete_cookies),
    path("redirect/", views.redirect_home),
    path("events/", views.events),
    path("upload/", views.upload),
    path("download/<int:size>/", views.download),
    path("exchange/", include("shop.exchange")),
]
