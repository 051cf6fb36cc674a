"""A Flask app with the session cookie as Flask ships it: no Secure, no SameSite."""
from flask import Flask, flash, get_flashed_messages, jsonify, make_response, redirect, request, session

app = Flask(__name__)
app.secret_key = "for-tests-only"


@app.get("/")
def home():
    return "<!doctype html><title>Flask</title><p id=user>%s</p><p id=flash>%s</p>" % (
        session.get("user", "nobody"),
        ", ".join(get_flashed_messages()),
    )


@app.get("/login")
def form():
    return (
        "<!doctype html><title>Log in</title><form method=post>"
        "<input name=user id=user><button id=submit>Log in</button></form>"
    )


@app.post("/login")
def login():
    session["user"] = request.form["user"]
    flash("welcome")
    return redirect("/")


@app.get("/logout")
def logout():
    session.clear()
    return redirect("/")


@app.get("/echo")
def echo():
    return jsonify(
        cookies=request.cookies,
        scheme=request.environ["wsgi.url_scheme"],
        headers=dict(request.headers),
        user=session.get("user"),
    )


@app.get("/two")
def two():
    response = make_response("two cookies")
    response.set_cookie("theme", "dark")
    response.set_cookie("remember_token", "r", httponly=True, max_age=600)
    return response
