"""A bad line loses nothing and repeats nothing; what is kept, and for how long."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.pages import Citizen, Visit, Watch
from tests.browser.photos import kitchen_smoke
from tests.channels.conftest import Gateway
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def broken_line(light_watch: Watch) -> None:
    """What the browser says of requests a test breaks."""
    light_watch.expected += [r"net::ERR_", r"503 \(Service Unavailable\)"]


def send(citizen: Citizen, text: str) -> None:
    citizen.field.fill(text)
    citizen.page.get_by_test_id("send").click()


def heard(gateway: Gateway) -> list[str]:
    """What Rasa was told as a citizen's message; words may also be read ahead of photos."""
    return [body["metadata"]["text"] for body in gateway.rasa.heard if "metadata" in body]


def status(citizen: Citizen, *wanted: str) -> None:
    expect(citizen.mine).to_have_count(len(wanted))
    for index, one in enumerate(wanted):
        expect(citizen.mine.nth(index)).to_have_attribute("data-status", one)


def test_messages_wait_for_the_network_and_go_in_order(light_visit: Visit, light: Gateway) -> None:
    citizen = light_visit()
    context = citizen.page.context
    context.set_offline(True)
    expect(citizen.page.get_by_test_id("offline")).to_contain_text("联网后自动发送")
    for text in ("第一句话", "第二句话"):
        send(citizen, text)
    expect(citizen.mine.first).to_contain_text("等联网后自动发送")
    status(citizen, "waiting", "sending")
    assert heard(light) == []
    context.set_offline(False)
    status(citizen, "sent", "sent")
    assert heard(light) == ["第一句话", "第二句话"]
    expect(citizen.page.get_by_test_id("offline")).to_be_hidden()


def test_a_waiting_message_and_its_photo_outlive_a_reload(
    light_visit: Visit, light: Gateway
) -> None:
    citizen = light_visit()
    page = citizen.page
    page.route("**/web/messages", lambda route: route.abort())
    citizen.attach_photo(kitchen_smoke())
    send(citizen, "楼下油烟")
    status(citizen, "waiting")
    page.reload()
    expect(citizen.mine.last.get_by_role("img", name="油烟.jpg")).to_be_visible()
    status(citizen, "waiting")
    page.unroute("**/web/messages")
    page.evaluate("dispatchEvent(new Event('online'))")
    status(citizen, "sent")
    assert heard(light) == ["楼下油烟"]
    assert len(light.rasa.heard[-1]["metadata"]["photos"]) == 1
    left = page.evaluate(
        """() => new Promise((done) => {
          indexedDB.open('shimin').onsuccess = ({ target }) => {
            const store = target.result.transaction('outgoing').objectStore('outgoing');
            store.count().onsuccess = (event) => done(event.target.result);
          };
        })"""
    )
    assert left == 0


def test_a_lost_answer_is_fetched_without_handling_twice(
    light_visit: Visit, light: Gateway
) -> None:
    """The server has handled the message, the answer never arrived: the repetition gets it."""
    citizen = light_visit()
    lost: list[int] = []
    mended: list[bool] = []

    def lose_the_answer(route: Route) -> None:
        response = route.fetch()
        if mended:
            route.fulfill(response=response)
            return
        lost.append(response.status)
        route.abort()

    citizen.page.route("**/web/messages", lose_the_answer)
    send(citizen, "确认提交")
    status(citizen, "waiting")
    mended.append(True)
    status(citizen, "sent")
    assert set(lost) == {200}
    assert heard(light) == ["确认提交"]
    expect(citizen.answers).to_have_count(2)


def test_a_reload_in_the_middle_of_an_answer(light_visit: Visit, light: Gateway) -> None:
    citizen = light_visit()
    answer = light.rasa.answer
    held: list[bool] = []

    def slowly(body: dict[str, object] | None) -> tuple[int, bytes]:
        wait_until(lambda: held, "the reload", pause=0.05)
        return answer(body)

    light.rasa.answer = slowly
    send(citizen, "娃上户口")
    wait_until(lambda: light.rasa.heard, "the message at Rasa")
    citizen.page.reload()
    status(citizen, "sending")
    held.append(True)
    status(citizen, "sent")
    assert heard(light) == ["娃上户口"]
    expect(citizen.answers).to_have_count(2)


def test_a_refused_message_waits_for_the_citizen(light_visit: Visit, light: Gateway) -> None:
    citizen = light_visit()
    well = light.rasa.answer
    light.rasa.answer = lambda _: (500, b"")
    send(citizen, "居住证怎么办")
    status(citizen, "failed")
    citizen.page.reload()
    light.rasa.answer = well
    status(citizen, "failed")
    citizen.mine.last.get_by_test_id("retry").click()
    status(citizen, "sent")


def test_the_conversation_stays_in_its_window(light_visit: Visit) -> None:
    """A reload keeps it; a new window of the same browser does not show it."""
    citizen = light_visit()
    citizen.say("娃上户口")
    citizen.page.reload()
    expect(citizen.mine).to_have_count(1)
    other = Citizen(citizen.page.context.new_page(), citizen.url).open()
    expect(other.mine).to_have_count(0)


def test_who_wishes_keeps_it_for_a_week(light_visit: Visit) -> None:
    citizen = light_visit()
    page = citizen.page
    page.get_by_test_id("settings").click()
    page.get_by_test_id("keep-history").check()
    page.keyboard.press("Escape")
    citizen.say("娃上户口")
    later = page.context.new_page()
    page.close()
    reopened = Citizen(later, citizen.url).open()
    expect(reopened.mine).to_have_count(1)
    later.evaluate(
        """() => {
          const entries = JSON.parse(localStorage.getItem('shimin.entries'));
          for (const entry of entries) entry.time -= 8 * 24 * 3600 * 1000;
          localStorage.setItem('shimin.entries', JSON.stringify(entries));
        }"""
    )
    later.reload()
    expect(reopened.page.get_by_test_id("welcome-service")).to_be_visible()
    expect(reopened.mine).to_have_count(0)


def test_leaving_a_shared_computer_leaves_nothing(light_visit: Visit) -> None:
    citizen = light_visit()
    page = citizen.page
    page.get_by_test_id("settings").click()
    page.get_by_test_id("keep-history").check()
    page.keyboard.press("Escape")
    citizen.say("娃上户口")
    (before,) = page.context.cookies()
    page.get_by_test_id("settings").click()
    page.get_by_test_id("leave").click()
    with page.expect_event("load"):
        page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("welcome-service")).to_be_visible()
    expect(citizen.mine).to_have_count(0)
    wait_until(page.context.cookies, "a new session")
    (after,) = page.context.cookies()
    assert after["value"] != before["value"]
    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert "娃上户口" not in kept


def test_the_page_opens_without_a_network(light_visit: Visit, light_watch: Watch) -> None:
    """The shell comes from the service worker; nothing personal is in its store."""
    citizen = light_visit(service_workers="allow")
    page = citizen.page
    citizen.say("娃上户口")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    wait_until(
        lambda: page.evaluate("caches.keys().then((names) => names.length)"), "the kept shell"
    )
    page.context.set_offline(True)
    page.reload()
    expect(citizen.mine).to_have_count(1)
    expect(page.get_by_test_id("offline")).to_be_visible()
    page.get_by_test_id("map").click()
    expect(page.get_by_test_id("picker-where")).to_contain_text("云东区")
    page.keyboard.press("Escape")
    kept: list[str] = page.evaluate(
        """async () => {
          const paths = [];
          for (const name of await caches.keys()) {
            for (const { url } of await (await caches.open(name)).keys()) {
              paths.push(new URL(url).pathname);
            }
          }
          return paths;
        }"""
    )
    assert "/" in kept
    assert {path for path in kept if not path.startswith("/static/")} == {"/", "/web/city.json"}
    send(citizen, "没有网也说一句")
    status(citizen, "sent", "waiting")
    page.context.set_offline(False)
    status(citizen, "sent", "sent")


def test_the_app_can_be_installed(light_visit: Visit) -> None:
    citizen = light_visit(service_workers="allow")
    session = citizen.page.context.new_cdp_session(citizen.page)
    citizen.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    manifest = session.send("Page.getAppManifest")
    assert manifest["url"].endswith("/static/manifest.webmanifest")
    assert manifest["errors"] == []
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    grave = [p for p in problems if p["errorId"] != "in-incognito"]  # tests run in one
    assert grave == []
