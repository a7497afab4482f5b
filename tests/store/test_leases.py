from datetime import timedelta

import pytest

from store import leases, posts
from store.leases import LeaseLost


def test_a_lease_is_held_by_one_owner_at_a_time(db, clock):
    first = leases.acquire(db, "listen", "maud", clock.now)
    assert (first.owner, first.fence, first.expires_at) == ("maud", 1, clock.now + timedelta(seconds=10))
    assert leases.acquire(db, "listen", "yanis", clock.forward(9)) is None
    assert leases.acquire(db, "route", "yanis", clock.now).fence == 1


def test_the_fence_rises_when_an_expired_lease_finds_a_new_owner(db, clock):
    leases.acquire(db, "listen", "maud", clock.now)
    assert leases.acquire(db, "listen", "yanis", clock.forward(10)).fence == 2


def test_an_owner_that_still_holds_its_lease_keeps_its_fence(db, clock):
    leases.acquire(db, "listen", "maud", clock.now)
    again = leases.acquire(db, "listen", "maud", clock.forward(5))
    assert (again.fence, again.expires_at) == (1, clock.now + timedelta(seconds=10))


def test_an_owner_that_let_its_lease_run_out_gets_a_new_fence(db, clock):
    leases.acquire(db, "listen", "maud", clock.now)
    assert leases.acquire(db, "listen", "maud", clock.forward(11)).fence == 2


def test_a_released_lease_is_free_at_once_and_its_fence_still_rises(db, clock):
    leases.release(db, leases.acquire(db, "listen", "maud", clock.now))
    with db.read() as conn:
        assert leases.holder(conn, "listen") is None
    assert leases.acquire(db, "listen", "yanis", clock.now).fence == 2


def test_releasing_a_lost_lease_does_not_hurt_the_new_holder(db, clock):
    old = leases.acquire(db, "listen", "maud", clock.now)
    new = leases.acquire(db, "listen", "yanis", clock.forward(10))
    leases.release(db, old)
    with db.read() as conn:
        assert leases.holder(conn, "listen") == new


def test_a_renewed_lease_lasts_longer(db, clock):
    lease = leases.renew(db, leases.acquire(db, "listen", "maud", clock.now), clock.forward(9))
    assert leases.acquire(db, "listen", "yanis", clock.forward(9)) is None
    assert lease.expires_at > clock.now


@pytest.mark.parametrize("seconds", [10, 60])
def test_an_expired_lease_is_not_renewed(db, clock, seconds):
    lease = leases.acquire(db, "listen", "maud", clock.now)
    with pytest.raises(LeaseLost, match="expired"):
        leases.renew(db, lease, clock.forward(seconds))


def test_a_write_under_an_expired_lease_commits_nothing(db, clock, make):
    lease = leases.acquire(db, "listen", "maud", clock.now)
    clock.forward(10)
    with pytest.raises(LeaseLost, match=r"listen.*maud.*fence 1.*expired"), db.write(lease=lease) as conn:
        posts.add(conn, [make.post(1)])
    with db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 0


def test_a_write_under_the_lease_of_a_former_holder_commits_nothing(db, clock, make):
    old = leases.acquire(db, "listen", "maud", clock.now)
    leases.acquire(db, "listen", "yanis", clock.forward(10))
    with pytest.raises(LeaseLost, match="yanis with fence 2"), db.write(lease=old) as conn:
        posts.add(conn, [make.post(1)])
    with db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 0


def test_a_write_under_a_renewed_lease_commits_although_the_holder_kept_the_first_copy(db, clock, make):
    lease = leases.acquire(db, "listen", "maud", clock.now)
    leases.renew(db, lease, clock.forward(9))
    clock.forward(9)
    with db.write(lease=lease) as conn:
        posts.add(conn, [make.post(1)])
    with db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 1


@pytest.mark.parametrize("seconds", [0, -1, 10.5])
def test_a_lease_that_would_last_too_long_or_no_time_is_refused(db, clock, seconds):
    with pytest.raises(ValueError, match="at most 10 seconds"):
        leases.acquire(db, "listen", "maud", clock.now, timedelta(seconds=seconds))


def test_a_lease_that_ran_out_and_that_nobody_took_is_resumed_with_its_fence(db, clock, make):
    lease = leases.acquire(db, "listen", "maud", clock.now)
    clock.forward(3600)
    with pytest.raises(leases.LeaseExpired), db.write(lease=lease):
        pytest.fail("an expired lease commits nothing")
    assert leases.resume(db, lease, clock.now).fence == 1
    with db.write(lease=lease) as conn:
        assert posts.add(conn, [make.post(1)])


def test_a_lease_that_another_took_is_not_resumed(db, clock):
    lease = leases.acquire(db, "listen", "maud", clock.now)
    leases.acquire(db, "listen", "yanis", clock.forward(10))
    with pytest.raises(LeaseLost, match="yanis with fence 2"):
        leases.resume(db, lease, clock.now)


def test_after_the_clock_stepped_an_hour_forward_only_one_of_two_holders_commits(db, clock):
    old = leases.acquire(db, "listen", "maud", clock.now)
    new = leases.acquire(db, "listen", "yanis", clock.forward(3600))
    with db.write(lease=new):
        pass
    with pytest.raises(LeaseLost), db.write(lease=old):
        pytest.fail("two holders at once")


def test_the_lease_of_a_dead_holder_does_not_freeze_its_stage_when_the_clock_is_put_back_an_hour(db, clock):
    leases.acquire(db, "listen", "maud", clock.now)
    assert leases.acquire(db, "listen", "yanis", clock.forward(-3600)).fence == 2


def test_a_living_holder_goes_on_when_the_clock_is_put_back_an_hour(db, clock):
    lease = leases.acquire(db, "listen", "maud", clock.now)
    clock.forward(-3600)
    with db.write(lease=lease):
        pass
    assert leases.resume(db, lease, clock.now).expires_at == clock.now + leases.LONGEST
    assert leases.acquire(db, "listen", "yanis", clock.now) is None
