"""The technicians' pages in a real browser: what they say is what the interface says, and nothing else happens."""

import json
import os
import re
import time

import pytest
from playwright.sync_api import expect

from branch import FAILING, ROOT, SILENT, Node, eventually

SCREENSHOTS = ROOT / "Documentation" / "screenshots"
HOSTILE = '<script>window.pwned=1</script>"\'><img src=x onerror="window.pwned=2">&lt;b&gt; \u202egnp.exe\u2066'


def value(page, identity):
    return page.locator(f"#{identity}").get_attribute("value")


def standing(instance):
    if instance["freshness"] == "expired" or instance["health"] == "critical":
        return "trouble"
    return "attention" if instance["freshness"] == "stale" or instance["health"] == "warning" else "well"


def rows(page):
    return [tuple(row) for row in page.locator("#rows .row").evaluate_all("""(rows) => rows.map((row) => [
        row.querySelector('.name').innerText, row.querySelector('.where').innerText, row.dataset.health, row.dataset.freshness])""")]


def listed(instances):
    return [(i["service_name"], f"{i['host']}:{i['port']}", i["health"], i["freshness"]) for i in instances]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_every_number_is_the_interfaces(branch, visit, script):
    """each number on the page is the one that the interface gives"""
    page = visit(branch.url + "/ui/", script=script)
    health, node, instances = branch.node.get("/health").json, branch.node.get("/api/v1/node").json, branch.node.services()
    live = [i for i in instances if i["source"] == "live"]
    assert int(value(page, "services-count")) == health["active_services"] == node["active_services"] == len({i["service_name"] for i in live})
    assert int(value(page, "instances-count")) == health["active_instances"] == len(live)
    assert int(value(page, "statics-count")) == len(instances) - len(live) == 1
    assert int(value(page, "count-all")) == int(value(page, "matching-count")) == len(instances)
    for group in ("trouble", "attention", "well"):
        assert int(value(page, f"count-{group}")) == sum(standing(i) == group for i in instances), group
    assert page.locator("#node-id").inner_text() == node["id"]
    assert page.locator("#version").inner_text() == node["version"]
    assert int(value(page, "epoch")) == node["epoch"]
    assert 0 <= health["uptime_seconds"] - int(value(page, "uptime")) <= 5
    store = health["components"]["store"]
    assert round(float(value(page, "store-used")), 1) == store["used_percent"]
    # These move on from one second to the next.
    assert abs(int(value(page, "disk-free")) - store["disk_free_bytes"]) < 1 << 30
    assert abs(float(value(page, "cpu")) - health["components"]["system"]["cpu_percent"]) < 50
    assert page.locator("[data-alert]").count() == len(health["alerts"])
    for row, instance in zip(page.locator("#rows .row").all(), instances):
        if instance["source"] == "live":
            assert 0 <= instance["age_seconds"] - int(row.locator(".heard-age").get_attribute("value")) <= 5


def test_the_sentence(branch, visit):
    """the page opens with how the node is, why, and where to go; the way leads there"""
    page = visit(branch.url + "/")
    assert page.url == branch.url + "/ui/"
    sentence = page.locator("h1").inner_text()
    assert "2 of 107 services are in trouble" in sentence, sentence
    page.locator("h1 a").click()
    assert page.locator("h1").inner_text().startswith(f"{SILENT} has gone silent: start it again")
    page.get_by_role("link", name="All services").click()
    page.locator("#services-list .row", has_text=FAILING).first.locator("a").click()
    assert page.locator("h1").inner_text().startswith(f"{FAILING} does not answer at 127.0.")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_pages_of_the_list(branch, visit, script):
    """the pages of the list, one after the other, are the interface's list; a page beyond the end is the last one"""
    page = visit(branch.url + "/ui/", script=script)
    seen = rows(page)
    while page.get_by_role("link", name="Next").count():
        page.get_by_role("link", name="Next").click()
        seen += rows(page)
    assert seen == listed(branch.node.services())
    page.goto(branch.url + "/ui/?page=999")
    assert rows(page)[-1] == seen[-1]


def test_search_and_filter(branch, visit):
    """a search by plain parameters finds by name and by host, a filter shows one group, and neither is lost with the other"""
    page = visit(branch.url + "/ui/", script=False)
    page.get_by_role("searchbox").fill("TILL-0")
    page.get_by_role("button", name="Search").click()
    assert [row[0] for row in rows(page)] == [i["service_name"] for i in branch.node.services() if "till-0" in i["service_name"]]
    page.get_by_role("link", name=re.compile("In trouble")).click()
    assert [row[0] for row in rows(page)] == [FAILING]
    page.get_by_role("searchbox").fill("127.0.1.1")
    page.get_by_role("button", name="Search").click()
    assert page.locator("#rows .row").count() == 0 or all(row[2] == "critical" or row[3] == "expired" for row in rows(page))
    page.goto(branch.url + "/ui/?q=nobody-has-this-name")
    assert "nobody-has-this-name" in page.locator("#services-list").inner_text()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_hostile_names(branch, visit, script):
    """markup, quotes and marks of direction in whatever a service may write are shown as they are, and do nothing"""
    name = f"hostile-{'a' if script else 'b'}"
    metadata = {f"<i>{n}": (HOSTILE * 9).encode()[:512].decode(errors="ignore") for n in range(64)}
    branch.register(name, 200 + script, id=f"{name}.1", health_endpoint="/health?a=1&lt;b&amp='x'", metadata=metadata,
                    tags=[HOSTILE, "</ul></section><h1>"])
    try:
        page = visit(f"{branch.url}/ui/services/{name}", script=script, width=320, height=640)
        text = page.locator("#instances").inner_text()
        assert "<script>window.pwned=1</script>" in text and "&lt;b&gt;" in text and "</ul></section><h1>" in text
        assert page.locator(".metadata > div").count() == 64
        assert page.locator("script").count() == 1 and page.locator("img").count() == 0 and page.locator("h1").count() == 1
        if script:
            assert page.evaluate("window.pwned") is None
        assert page.evaluate("document.documentElement.scrollWidth") <= 320 if script else True
        page.goto(f"{branch.url}/ui/?q=%22%3E%3Cscript%3Ewindow.pwned=4%3C/script%3E&lang=%3Cb%3E&show=%22&page=-1")
        assert page.get_by_role("searchbox").input_value() == '"><script>window.pwned=4</script>'
        assert page.locator("script").count() == 1
    finally:
        branch.node.delete(f"/api/v1/deregister/{name}")


def test_refreshes_by_itself(branch, visit):
    """what changes on the node changes on the page by the feed, without loading it again and without taking the focus away"""
    page = visit(branch.url + "/ui/")
    page.evaluate("window.isTheSamePage = true")
    before = int(value(page, "services-count"))
    link = page.locator("#rows .row a").first
    link.focus()
    name = link.locator(".name").inner_text()
    # Sooner than the page would look by itself.
    branch.register("newcomer", 210)
    expect(page.locator("#services-count")).to_have_attribute("value", str(before + 1), timeout=6_000)
    branch.node.delete("/api/v1/deregister/newcomer")
    expect(page.locator("#services-count")).to_have_attribute("value", str(before), timeout=6_000)
    assert page.evaluate("window.isTheSamePage")
    assert page.evaluate("document.activeElement.querySelector('.name')?.innerText") == name


def test_says_when_the_connection_is_lost(branch, visit):
    """a phone without network says so and keeps the last picture; with the network it goes on by itself"""
    page = visit(branch.url + "/ui/", forgives=("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK"))
    expect(page.locator("#lost")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.locator("#lost")).to_be_visible()
    assert "The connection to the node is lost" in page.locator("#notices").inner_text()
    assert page.locator("#rows .row").count() > 0
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden()


def test_survives_the_daemon(visit):
    """a daemon that is killed is missed at once, and one that comes back is found"""
    with Node() as node:
        node.start()
        node.registered("till")
        page = visit(f"http://127.0.0.1:{node.port}/ui/", forgives=("ERR_CONNECTION", "ERR_EMPTY", "ERR_INCOMPLETE", "ERR_SOCKET"))
        expect(page.locator("#services-count")).to_have_attribute("value", "1")
        node.listen = (f"127.0.0.1:{node.port}",)
        node.kill()
        expect(page.locator("#lost")).to_be_visible()
        node.start()
        expect(page.locator("#lost")).to_be_hidden()
        node.registered("till-two", port=9001)
        expect(page.locator("#services-count")).to_have_attribute("value", "2")


def test_uplink_panel(branch, visit):
    """there is a panel for the uplink where there is an uplink, with the interface's numbers, and none elsewhere"""
    assert visit(branch.url + "/ui/").locator("#uplink").count() == 0
    # Nobody listens on port 1.
    with Node(dev=False, config='[uplink]\nurl = "http://127.0.0.1:1"\n') as node:
        node.start()
        node.registered("till")
        eventually(lambda: node.get("/api/v1/uplink").json["sinks"][0]["breaker"] == "open", "the breaker opens")
        page = visit(f"http://127.0.0.1:{node.port}/ui/", width=320, height=640)
        sink = node.get("/api/v1/uplink").json["sinks"][0]
        assert int(value(page, "lag-0")) == sink["lag_records"] > 0
        assert int(value(page, "dead-letters-0")) == sink["dead_letters"] == 0
        assert "no connection" in page.locator("#uplink").inner_text()
        assert page.locator("[data-alert]").count() == len(node.get("/health").json["alerts"]) == 1
        assert "the centre cannot be reached" in page.locator("h1").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.close()


def test_fits_a_small_phone(branch, visit):
    """nothing has to be scrolled sideways at 320 px, and a thumb hits every target"""
    for language in ("pt-BR", "en-GB"):
        page = visit(branch.url + "/ui/", width=320, height=640, language=language, forgives=("404",))
        for path in ("/ui/", "/ui/?show=trouble&q=a", f"/ui/services/{FAILING}", "/ui/nothing", "/ui/services/unknown-service"):
            page.goto(branch.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (path, language)
            small = page.evaluate("""() => [...document.querySelectorAll('a, button, input:not([type=hidden]), summary')]
                .filter((e) => e.getClientRects().length && !e.closest('h1') && !e.classList.contains('skip'))
                .filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)""")
            assert small == [], (path, small)


def test_keyboard_and_screen_reader(branch, visit):
    """the first stop of the keyboard skips to the state; landmarks and headings stand as a screen reader wants them"""
    page = visit(branch.url + "/ui/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#state")
    tree = page.locator("body").aria_snapshot()
    for landmark in ("- banner:", "- main:", "- navigation", "- search", '- region "Services"', '- region "This node"', "- heading", "- status"):
        assert landmark in tree, f"{landmark}\n{tree[:2000]}"
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels
    assert page.locator("#state").get_attribute("aria-live") == "polite"
    assert page.locator("html").get_attribute("lang") == "en"


def test_languages(branch, visit):
    """the browser's language is taken, the link changes it, and every way keeps the choice"""
    page = visit(branch.url + "/ui/", language="pt-PT", script=False)
    assert "estão com problema" in page.locator("h1").inner_text()
    page.get_by_role("link", name="English").click()
    assert "are in trouble" in page.locator("h1").inner_text()
    page.get_by_role("link", name=re.compile("In trouble")).click()
    page.locator("#rows a").first.click()
    assert page.locator("html").get_attribute("lang") == "en" and "has gone silent" in page.locator("h1").inner_text()


@pytest.mark.parametrize("access, status, word", [("none", 401, "does not know you"), ("health", 403, "may not see")])
def test_refused(visit, nodes_of, access, status, word):
    """whoever may not list the services sees nothing of them, and reads what to do"""
    node = nodes_of(access)
    assert node.get("/ui/").status == node.get("/api/v1/services").status == status
    page = visit(f"http://127.0.0.1:{node.port}/ui/", forgives=(str(status),))
    assert word in page.locator("h1").inner_text()
    assert "access.loopback" in page.locator("main").inner_text()
    assert page.locator("#services").count() == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.state')).borderRadius") != "0px"


@pytest.fixture
def nodes_of():
    made = []

    def make(access):
        made.append(Node(dev=False, config=f'[access]\nloopback = "{access}"\n').start())
        return made[-1]

    yield make
    for node in made:
        node.close()


def test_answers_of_the_pages(branch):
    """pages are not kept, assets are kept for ever and asked for by their hash, nothing but reading is taken"""
    get = branch.node.get
    page = get("/ui/", {"Accept-Language": "en"})
    assert page.status == 200 and page["cache-control"] == "no-store"
    assert page["content-security-policy"].startswith("default-src 'none';") and "unsafe" not in page["content-security-policy"]
    assert "frame-ancestors 'none'" in page["content-security-policy"]
    assert page["x-content-type-options"] == "nosniff" and page["referrer-policy"] == "no-referrer"
    css = re.search(rb'href="(/ui/console-[0-9a-f]{16}\.css)"', page.body)[1].decode()
    asset = get(css)
    assert asset.status == 200 and "immutable" in asset["cache-control"] and asset["content-type"].startswith("text/css")
    known = get(css, {"If-None-Match": asset["etag"]})
    assert known.status == 304 and known.body == b"" and known["etag"] == asset["etag"]
    assert get("/ui/console-0000000000000000.css").status == 404
    assert get("/").status == 404 and get("/", {"Accept": "text/html"}).status == 302
    before = branch.node.revision
    for method in ("POST", "PUT", "DELETE"):
        assert branch.node.request(method, "/ui/", body={}).status == 405, method
    assert branch.node.revision == before


@pytest.mark.parametrize("name, width, height, scheme, language", [
    ("phone", 390, 844, "light", "pt-BR"), ("phone-dark", 390, 844, "dark", "en-GB"), ("desk", 1280, 800, "light", "en-GB"),
])
def test_screenshots(branch, visit, name, width, height, scheme, language):
    """the pictures of the README; written only when they are missing, or when they are asked for"""
    page = visit(branch.url + "/ui/", width=width, height=height, scheme=scheme, language=language)
    target = SCREENSHOTS / f"{name}.png"
    picture = page.screenshot()
    assert len(picture) < 150_000, len(picture)
    if os.environ.get("POSTO_SCREENSHOTS") or not target.exists():
        SCREENSHOTS.mkdir(exist_ok=True)
        target.write_bytes(picture)


def test_ten_thousand_services(visit):
    """ten thousand services are counted, paged through and searched as a hundred are, and no page of them keeps anybody waiting"""
    with Node(dev=False) as node:
        (node.statics / "many.json").write_text(json.dumps([
            {"service_name": f"many-{n:05}", "host": f"10.1.{n // 250}.{n % 250}", "port": 9000, "health_endpoint": "/health"} for n in range(10_000)]))
        node.start()
        page = visit(f"http://127.0.0.1:{node.port}/ui/?page=400", width=320, height=640)
        assert int(value(page, "count-all")) == int(value(page, "matching-count")) == 10_000
        assert [row[0] for row in rows(page)] == [f"many-{n:05}" for n in range(9_975, 10_000)]
        assert page.get_by_role("link", name="Next").count() == 0
        page.goto(f"http://127.0.0.1:{node.port}/ui/?q=MANY-0123")
        assert int(value(page, "matching-count")) == 10
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        began = time.monotonic()
        for _ in range(5):
            assert len(node.get("/ui/").body) < 40_000
        assert (time.monotonic() - began) / 5 < 2
        page.close()
