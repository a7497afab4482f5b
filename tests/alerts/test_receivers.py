"""Receivers that hang, drip, flood, cut off or lead astray: each costs its own slot, and says what to do."""

import socket
import ssl
import subprocess
import time

import pytest
from alerts_kit import KEY, NIGHT, event, invented_posts, world

from alerts.channels import apprise, mail, webhook
from alerts.channels.wire import check_public
from alerts.errors import PermanentError, SetupError, TransientError
from alerts.messages.message import Facts, write
from alerts.router import decide
from alerts.rules.case import History
from desk.trials.bad_receivers import Hook, Smtp, dripping, flooding, served, silent

SLOT = 0.4
HEADERS = b"HTTP/1.1 200 OK\r\n"


def certificate(folder, name):
    """A server's context with a fresh certificate for ``name`` that nobody has signed."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*made, "-keyout", key, "-out", cert, "-days", "2", *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.fixture(scope="module")
def facts():
    alert, deliveries, _ = decide(event(), world(), NIGHT, History())
    return Facts(alert, deliveries[0], (), tuple(invented_posts()), world(), NIGHT)


def post(facts, url, **settings):
    webhook.send(facts.delivery, write(facts, url, KEY), {"timeout": SLOT} | settings, {"key": "shared"})


def letter(facts, port, secrets=None, **settings):
    message = write(facts, "a@example.org", KEY)
    mail.send(
        facts.delivery, message, {"port": port, "timeout": SLOT, "from": "v@example.org"} | settings, secrets or {}
    )


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (silent, "http-timeout"),
        (dripping(), "http-timeout"),
        (Hook(flooding(HEADERS)), "http-broken"),
        (lambda conn, done: None, "http-broken"),
    ],
    ids=["hangs", "drips its status", "floods its headers", "hangs up"],
)
def test_a_webhook_that_does_not_answer_is_left_when_its_slot_ends(facts, talk, code):
    started = time.monotonic()
    with served(talk) as port, pytest.raises(TransientError, match=f"127.0.0.1:{port}") as caught:
        post(facts, f"http://127.0.0.1:{port}/secret-path", timeout=SLOT if code == "http-timeout" else 10)
    assert caught.value.code == code
    assert "secret-path" not in str(caught.value)
    assert time.monotonic() - started < (SLOT + 2 if code == "http-timeout" else 10)


def test_a_webhook_that_says_yes_and_then_drips_headers_for_ever_has_taken_the_message(facts):
    started = time.monotonic()
    with served(dripping(HEADERS, b"X-More: yes\r\n")) as port:
        post(facts, f"http://127.0.0.1:{port}/")
    assert time.monotonic() - started < SLOT + 2


def test_a_webhook_that_nobody_answers_says_host_and_port(facts):
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:1 refuses connections") as caught:
        post(facts, "http://127.0.0.1:1/")
    assert caught.value.code == "http-refused"


def test_a_redirect_to_a_private_address_is_refused(facts, receiver):
    receiver.answers = [(302, {"Location": "http://169.254.169.254/latest/meta-data"}, b"")]
    with pytest.raises(SetupError, match="redirect, which is not followed"):
        post(facts, receiver.url)
    assert len(receiver.taken) == 1


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "100.64.0.1", "::1", "::ffff:10.0.0.1", "fd00::1"]
)
def test_a_name_that_leads_into_the_own_network_is_refused(address):
    with pytest.raises(SetupError, match="private_network: true") as caught:
        check_public("hook.example.org", ["203.0.113.9", address][1:])
    assert caught.value.code == "private-address"


@pytest.mark.parametrize("host", ["hook.example.org", "169.254.169.254", "localhost"])
@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "0.0.0.0"])
def test_nothing_is_sent_to_where_clouds_keep_their_credentials(host, address):
    with pytest.raises(SetupError, match="no receiver can be"):
        check_public(host, [address])


def test_an_address_that_is_written_out_is_taken_as_meant():
    check_public("10.1.2.3", ["10.1.2.3"])
    check_public("localhost", ["127.0.0.1", "::1"])
    check_public("hook.example.org", ["1.1.1.1", "2606:4700::1"])


@pytest.fixture
def names(monkeypatch):
    """A name service in which hook.example.org is this machine."""
    real = socket.getaddrinfo

    def answer(host, *args, **more):
        return real("127.0.0.1" if host == "hook.example.org" else host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_gateway_in_the_own_network_is_called_where_the_channel_says_so(facts, receiver, names):
    url = receiver.url.replace("127.0.0.1", "hook.example.org")
    with pytest.raises(SetupError, match="a private address"):
        post(facts, url, plain_http=True)
    assert receiver.taken == []
    post(facts, url, plain_http=True, private_network=True)
    assert receiver.taken[0][0]["Host"].startswith("hook.example.org:")


def test_a_name_that_nobody_knows_is_tried_again(facts):
    with pytest.raises(TransientError, match=r"nowhere\.invalid:443 is not known") as caught:
        post(facts, "https://nowhere.invalid/")
    assert caught.value.code == "http-unknown-host"


def test_a_certificate_that_does_not_hold_waits_for_its_repair(facts, tmp_path):
    with served(silent, tls=certificate(tmp_path, "localhost")) as port:
        with pytest.raises(SetupError, match=f"localhost:{port} does not hold") as caught:
            post(facts, f"https://localhost:{port}/", timeout=10)
        assert caught.value.code == "tls-certificate"
        with pytest.raises(SetupError, match="renew it"):
            letter(facts, port, host="localhost", tls="tls", timeout=10)


def test_a_handshake_that_hangs_is_left_when_its_slot_ends(facts):
    with served(silent) as port:
        with pytest.raises(TransientError):
            post(facts, f"https://localhost:{port}/")
        with pytest.raises(TransientError):
            letter(facts, port, host="localhost", tls="tls")


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"220": silent}, "smtp-timeout"),
        ({"220": dripping(b"220-", b"a")}, "smtp-timeout"),
        ({"MAIL": dripping(b"250-a\r\n", b"250-b\r\n")}, "smtp-timeout"),
        (
            {
                "MAIL": lambda conn, done: conn.sendall(
                    b"250-" + b"y" * 60 + b"\r\n" * 1 + b"250-zzzzzzzz\r\n" * 100_000
                )
            },
            "smtp-broken",
        ),
        ({"EHLO": lambda conn, done: conn.sendall(b"x" * 10_000_000)}, "smtp-broken"),
        ({".": None}, "smtp-broken"),
        ({"220": None}, "smtp-broken"),
        ({"220": b"421 too busy\r\n"}, "smtp-421"),
        ({"MAIL": b"451 try later\r\n"}, "smtp-451"),
        ({".": b"452 disk full\r\n"}, "smtp-452"),
        ({"220": b"HTTP/1.1 400 Bad Request\r\n"}, "smtp-broken"),
    ],
    ids=[
        "hangs",
        "drips its greeting",
        "drips its answer",
        "answers a megabyte",
        "answers a line without end",
        "cuts off after the message",
        "hangs up",
        "is busy",
        "asks for later",
        "has no room",
        "is no SMTP server",
    ],
)
def test_a_mail_server_that_fails_for_now_is_tried_again(facts, answers, code):
    started = time.monotonic()
    with served(Smtp(answers)) as port, pytest.raises(TransientError, match=f"127.0.0.1:{port}") as caught:
        letter(facts, port, timeout=SLOT if code == "smtp-timeout" else 10)
    assert caught.value.code == code
    assert time.monotonic() - started < (SLOT + 2 if code == "smtp-timeout" else 10)


@pytest.mark.parametrize("answers", [{"MAIL": b"550 not from you\r\n"}, {".": b"554 refused\r\n"}])
def test_a_mail_server_that_refuses_for_good_is_believed(facts, answers):
    with served(Smtp(answers)) as port, pytest.raises(PermanentError):
        letter(facts, port)


@pytest.mark.parametrize("bye", [silent, None, b"500 what\r\n", dripping()])
def test_once_the_message_is_taken_nothing_that_follows_makes_it_fail(facts, bye):
    server = Smtp({"QUIT": bye})
    started = time.monotonic()
    with served(server) as port:
        letter(facts, port)
    assert len(server.taken) == 1
    assert time.monotonic() - started < SLOT + 2


def test_a_message_sent_again_bears_the_same_id(facts):
    server = Smtp({".": None})
    with served(server) as port:
        for _ in range(2):
            with pytest.raises(TransientError):
                letter(facts, port)
    ids = {line for one in server.taken for line in one.content.splitlines() if line.startswith(b"Message-ID")}
    assert len(server.taken) == 2
    assert ids == {f"Message-ID: <{facts.delivery.id}@example.org>".encode()}


def test_a_rejected_password_waits_for_another_and_is_not_told(facts):
    answers = {"EHLO": b"250-me\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 no: hunter2 is wrong\r\n"}
    with served(Smtp(answers)) as port, pytest.raises(SetupError) as caught:
        letter(facts, port, {"username": "vigie", "password": "hunter2"})
    assert "correct the secrets" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_service_that_hangs_behind_apprise_is_left_when_its_slot_ends(facts):
    started = time.monotonic()
    with served(dripping()) as port:
        message = write(facts, f"json://127.0.0.1:{port}/secret-path", KEY)
        with pytest.raises(TransientError) as caught:
            apprise.send(facts.delivery, message, {"timeout": 2}, {})
    assert caught.value.code == "apprise-timeout"
    assert "secret-path" not in str(caught.value)
    assert time.monotonic() - started < 20
