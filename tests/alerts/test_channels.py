"""The ways out, against servers that speak the real protocols."""

import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from alerts_kit import KEY, NIGHT, event, invented_posts, world

from alerts.channels import apprise, mail, webhook
from alerts.errors import PermanentError, SetupError, TransientError
from alerts.messages import cap
from alerts.messages.message import Facts, write
from alerts.router import decide
from alerts.rules.case import History


@pytest.fixture(scope="module")
def facts():
    there = world()
    alert, deliveries, _ = decide(event(), there, NIGHT, History())
    return Facts(alert, deliveries[0], ("rescue",), tuple(invented_posts()), there, NIGHT)


@pytest.fixture
def delivery(facts):
    return facts.delivery


@pytest.fixture
def letter(facts):
    def to(address):
        return write(facts, address, KEY)

    return to


def hook(delivery, message, **settings):
    webhook.send(delivery, message, {"timeout": 1} | settings, {"key": "shared"})


def test_a_mail_has_text_and_html_and_says_that_a_machine_sent_it(delivery, letter, inbox):
    box, port = inbox
    mail.send(delivery, letter("a@example.org"), {"host": "127.0.0.1", "port": port, "from": "v@example.org"}, {})
    got = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert got["Message-ID"] == f"<{delivery.id}@example.org>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Importance"] == "high"
    assert not [name for name in got if name.startswith("List-")]
    assert "Vous pilotez." in got.get_body(("plain",)).get_content()
    html = got.get_body(("html",)).get_content()
    assert "<script" not in html
    assert "Je prends en charge</a>" in html


def test_markup_in_a_message_stays_text_in_the_mail(letter):
    message = replace(letter("a@example.org"), text="<b>x</b>\n<script>y</script>\n\nlink")
    assert "<script>" not in mail.page(message)


@pytest.mark.parametrize(("answer", "error"), [("451 later", TransientError), ("550 unknown", PermanentError)])
def test_the_servers_answer_says_whether_to_try_again(delivery, letter, inbox, answer, error):
    box, port = inbox
    box.answers = [answer]
    with pytest.raises(error) as caught:
        mail.send(delivery, letter("a@example.org"), {"port": port, "from": "v@example.org"}, {})
    assert caught.value.code == f"smtp-{answer[:3]}"


def test_a_server_that_is_not_there_is_tried_again(delivery, letter):
    with pytest.raises(TransientError):
        mail.send(delivery, letter("a@example.org"), {"port": 1, "timeout": 1}, {})


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(delivery, letter, inbox):
    box, port = inbox
    with pytest.raises(SetupError):
        mail.send(delivery, letter("a@example.org"), {"port": port, "tls": "starttls"}, {})
    assert box.mails == []


def test_a_word_that_is_no_way_of_tls_is_refused(delivery, letter):
    with pytest.raises(SetupError, match="none, starttls or tls"):
        mail.send(delivery, letter("a@example.org"), {"tls": "yes"}, {})


def test_an_address_cannot_carry_another_header(delivery, letter):
    with pytest.raises(SetupError):
        mail.send(delivery, letter("a@example.org\nBcc: b@example.org"), {"port": 1}, {})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        *((TransientError, status) for status in (408, 429, 500, 503)),
        *((SetupError, status) for status in (301, 401, 404, 410)),
        *((PermanentError, status) for status in (400, 422)),
    ],
)
def test_the_webhooks_answer_says_whether_to_try_again(delivery, letter, receiver, error, status):
    receiver.answers = [(status, {}, b"")]
    with pytest.raises(error):
        hook(delivery, letter(receiver.url))


def test_a_webhook_may_ask_for_time(delivery, letter, receiver):
    receiver.answers = [(503, {"Retry-After": "120"}, b"")]
    with pytest.raises(TransientError) as caught:
        hook(delivery, letter(receiver.url))
    assert caught.value.retry_after == 120


def test_a_redirect_is_not_followed(delivery, letter, receiver):
    receiver.answers = [(307, {"Location": receiver.url}, b"")]
    with pytest.raises(SetupError, match="redirect"):
        hook(delivery, letter(receiver.url))
    assert len(receiver.taken) == 1


def test_a_huge_answer_is_not_read(delivery, letter, receiver):
    receiver.answers = [(200, {}, b"x" * 20_000_000)]
    started = time.monotonic()
    hook(delivery, letter(receiver.url))
    assert time.monotonic() - started < 1


def test_a_webhook_that_hangs_is_left_after_the_timeout(delivery, letter):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(TransientError):
            hook(delivery, letter(f"http://127.0.0.1:{silent.getsockname()[1]}/"), timeout=0.2)


def test_an_answer_that_drips_is_left_after_the_timeout(delivery, letter):
    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()
        done = threading.Event()
        thread = threading.Thread(target=drip, args=(slow, done))
        thread.start()
        started = time.monotonic()
        hook(delivery, letter(f"http://127.0.0.1:{slow.getsockname()[1]}/"), timeout=0.5)
        done.set()
        thread.join(5)
    assert time.monotonic() - started < 3


def drip(listening, done):
    conn, _ = listening.accept()
    with conn:
        conn.recv(65536)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not done.wait(0.05):
            try:
                conn.sendall(b"x")
            except OSError:
                return


def test_plain_http_to_another_machine_must_be_allowed(delivery, letter):
    with pytest.raises(SetupError, match="https"):
        hook(delivery, letter("http://192.0.2.1/"))


@pytest.mark.parametrize("address", ["", "file:///etc/hosts", "https://", "http://[1", "mailto:a@example.org"])
def test_what_is_no_web_address_is_refused(delivery, letter, address):
    with pytest.raises(SetupError):
        hook(delivery, letter(address))


def test_a_webhook_without_a_key_is_refused(delivery, letter, receiver):
    with pytest.raises(SetupError, match="VIGIE_WEBHOOK_KEY"):
        webhook.send(delivery, letter(receiver.url), {}, {})
    assert receiver.taken == []


def test_a_webhook_can_take_cap(facts, delivery, letter, receiver):
    message = letter(receiver.url)
    hook(delivery, replace(message, cap=cap.write(facts, message)), format="cap")
    headers, body = receiver.taken[0]
    assert headers["Content-Type"] == "application/cap+xml"
    assert body.startswith(b"<?xml")


def test_any_address_that_apprise_knows_is_told(delivery, letter, receiver):
    apprise.send(delivery, letter(receiver.url.replace("http://", "json://")), {"timeout": 60}, {})
    assert b"Incendie industriel" in receiver.taken[0][1]
    assert delivery.id.encode() in receiver.taken[0][1]


def test_apprise_that_fails_is_tried_again(delivery, letter, receiver):
    receiver.answers = [(500, {}, b"")]
    with pytest.raises(TransientError):
        apprise.send(delivery, letter(receiver.url.replace("http://", "json://")), {"timeout": 60}, {})


def test_an_address_that_apprise_does_not_know_is_refused(delivery, letter):
    with pytest.raises(SetupError):
        apprise.send(delivery, letter("pigeon://loft"), {"timeout": 60}, {})


def test_the_link_stops_working_after_the_hours_of_the_bundle(facts, letter):
    from alerts.acknowledge import token
    from alerts.errors import ExpiredLink

    one = letter("x").link.rpartition("/")[2]
    assert token.read(KEY, one, NIGHT + timedelta(hours=11)) == facts.delivery.id
    with pytest.raises(ExpiredLink):
        token.read(KEY, one, NIGHT + timedelta(hours=12))
