"""`docker/secrets`: what a first start needs, made once."""

import re
import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from stack_kit import Made, make_private

from config.settings import ROOT


def copied(made: Made, folder: Path) -> Made:
    shutil.copytree(made.private, folder / "private")
    return replace(made, private=folder / "private")


def test_nothing_that_is_there_is_made_anew(private):
    before = {path: path.read_bytes() for path in private.private.rglob("*") if path.is_file()}
    done = private.call()
    assert (done.returncode, done.stdout) == (0, "")
    assert {path: path.read_bytes() for path in private.private.rglob("*") if path.is_file()} == before


def test_others_on_the_machine_cannot_pass_the_folder_and_containers_only_read(private):
    assert stat.S_IMODE(private.private.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in private.private.iterdir() if path.is_file()}
    assert {name for name, mode in modes.items() if mode != 0o444} == {"ca_key", "desk_password"}
    assert {modes["ca_key"], modes["desk_password"]} == {0o600}
    assert stat.S_IMODE((private.bundle / "bundle.yaml").stat().st_mode) == 0o644


def test_what_airflow_reads_as_it_is_ends_without_a_new_line(private):
    read = list(private.private.glob("airflow_*"))
    assert len(read) == 4
    assert [path.name for path in read if path.read_bytes() != path.read_bytes().strip()] == []


def test_no_two_secrets_are_the_same_on_one_machine_or_on_two(private, tmp_path):
    values = {path.name: path.read_text().strip() for path in private.private.iterdir() if path.is_file()}
    random = {name: value for name, value in values.items() if re.fullmatch(r"[0-9a-f]{64}", value)}
    assert len(random) >= 10
    assert len(set(random.values())) == len(random)
    other = make_private(tmp_path / "other")
    assert values["vigie_secret"] != (other.private / "vigie_secret").read_text().strip()


@pytest.mark.parametrize("name", ["elasticsearch", "kibana"])
def test_a_certificate_is_for_its_host_and_signed_by_the_authority(private, name):
    folder = private.private
    verify = ["openssl", "verify", "-CAfile", "ca", "-verify_hostname", name, "-purpose", "sslserver"]
    done = subprocess.run([*verify, f"{name}_certificate"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wrong = subprocess.run(
        [*verify[:5], "elsewhere", f"{name}_certificate"], cwd=folder, capture_output=True, text=True
    )
    assert wrong.returncode != 0


def test_a_certificate_near_its_end_is_made_anew_by_the_same_authority(private, tmp_path):
    made = copied(private, tmp_path)
    folder, old = made.private, made.private / "kibana_certificate"
    authority = (folder / "ca").read_bytes()
    ask = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    soon = subprocess.run(
        [*ask, "-subj", "/CN=kibana", "-days", "20", "-keyout", "/dev/null"], capture_output=True, check=True
    ).stdout
    old.chmod(0o644)
    old.write_bytes(soon)
    done = made.call()
    assert done.stdout.splitlines() == ["made kibana_key", "made kibana_certificate"]
    assert (folder / "ca").read_bytes() == authority
    assert b"BEGIN CERTIFICATE" in old.read_bytes() != soon


def test_a_user_is_added_and_changed_and_the_others_stay(private, tmp_path):
    made = copied(private, tmp_path)
    users = made.private / "desk_users"
    (first,) = users.read_text().splitlines()
    assert made.call("user", "camille", said="correct horse battery\n").returncode == 0
    assert made.call("user", "camille", said="battery horse correct\n").returncode == 0
    kept, added = users.read_text().splitlines()
    assert kept == first
    assert added.startswith("camille $2a$12$")
    assert "horse" not in users.read_text()


@pytest.mark.parametrize(
    ("name", "password"), [("two words", "long enough, this"), ("nina", "short"), ("a{b}", "x" * 20)]
)
def test_a_name_or_password_that_would_not_do_is_refused(private, name, password):
    before = (private.private / "desk_users").read_text()
    done = private.call("user", name, said=f"{password}\n")
    assert done.returncode == 2
    assert password not in done.stdout + done.stderr
    assert (private.private / "desk_users").read_text() == before


def test_the_bundle_that_it_lays_out_is_the_example_with_links_that_lead_to_the_edge(private):
    example = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "config" / "default").iterdir()}
    ours = example["bundle.yaml"].replace("base_url: http://127.0.0.1:8711", "base_url: https://ack.localhost")
    laid_out = {path.name: path.read_text(encoding="utf-8") for path in private.bundle.iterdir()}
    assert laid_out == example | {"bundle.yaml": ours}
    assert ours != example["bundle.yaml"]


def test_the_settings_that_it_lays_out_name_no_secret(private):
    assert not re.search(r"PASSWORD|TOKEN|SECRET", private.settings.read_text(encoding="utf-8"))
