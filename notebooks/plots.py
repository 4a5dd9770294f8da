"""Opens maps of documents in a headless browser, offline, and compares what they show with the data.

    python notebooks/plots.py --program target/release/topicframe [--pictures FOLDER]

Makes two pages by the command, one of the drawings with their pictures and one of 20,000 posts with dates and classes,
and uses them as a person would. Screenshots go to the folder of `--pictures`. Needs playwright and Chromium ($CHROMIUM,
or `chromium` on the path).
"""

import argparse
import array
import base64
import csv
import html
import json
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
import zlib

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parent.parent
DRAWINGS = ROOT / "examples" / "data" / "openclipart"
COMMON = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync"]
SOFTWARE = COMMON + ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WITHOUT_WEBGL = COMMON + ["--disable-gpu", "--disable-3d-apis"]
NOWHERE = 65535
GLANCE = 0.02  # seconds between looks at the page


class Map:
    """A page as Python reads it: what it should show."""

    def __init__(self, path):
        self.path = path
        self.source = path.read_text(encoding="utf-8")
        self.data = json.loads(self.element("tf-data"))
        self.rows = self.data["rows"]
        places = self.numbers("H", base64.b64decode(self.element("tf-places")))
        self.x, self.y = places[:self.rows], places[self.rows:]
        self.groups = self.numbers("H", self.inflated("tf-groups"))
        self.topics = self.data["topics"]
        self.numbers_of_rows = list(range(self.rows))
        if 'id="tf-rows"' in self.source:
            steps, number = self.numbers("I", self.inflated("tf-rows")), 0
            for place, step in enumerate(steps):
                number += step
                self.numbers_of_rows[place] = number
        self.texts = self.read_texts()
        self.bins = self.inflated("tf-time") if self.data["time"] else None

    def element(self, name):
        found = re.search(rf'<script [^>]*id="{name}"[^>]*>(.*?)</script>', self.source, re.DOTALL)
        return found.group(1).strip()

    def inflated(self, name):
        return zlib.decompress(base64.b64decode(self.element(name)), -15)

    @staticmethod
    def numbers(kind, content):
        values = array.array(kind)
        values.frombytes(content)
        if sys.byteorder == "big":
            values.byteswap()
        return values

    def read_texts(self):
        if not self.data["texts"]:
            return None
        content, texts, start = base64.b64decode(self.element("tf-texts")), [], 0
        for length in self.data["texts"]["lengths"]:
            texts += zlib.decompress(content[start:start + length], -15).decode("utf-8").split("\0")
            start += math.ceil(length / 3) * 3
        return texts

    def has_place(self, row):
        return self.x[row] != NOWHERE

    def at(self, row):
        return self.x[row], self.y[row]

    def inside(self, points):
        """The rows in a rectangle (two corners) or a polygon, by the even-odd rule."""
        if len(points) == 2:
            (x1, y1), (x2, y2) = points
            within = lambda x, y: min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
        else:
            within = lambda x, y: is_inside(x, y, points)
        return {row for row in range(self.rows) if self.has_place(row) and within(self.x[row], self.y[row])}

    def distance(self, row, others):
        return min((math.dist(self.at(row), self.at(other)) for other in others if other != row), default=math.inf)

    def apart(self, topic):
        """Rows of a topic, those farthest from other topics' rows first, and how far."""
        near = sorted((row for row in range(self.rows) if self.groups[row] == topic and self.has_place(row)),
                      key=lambda row: math.dist(self.at(row), self.topics[topic]["at"]))[:25]
        around = [row for row in range(self.rows) if self.has_place(row) and self.groups[row] != topic
                  and math.dist(self.at(row), self.topics[topic]["at"]) < 9000]
        return sorted(((self.distance(row, around), row) for row in near), reverse=True)

    def numbers_of(self, rows):
        return sorted(self.numbers_of_rows[row] for row in rows)


def is_inside(x, y, points):
    inside = False
    for (xi, yi), (xj, yj) in zip(points, points[-1:] + points[:-1]):
        if (yi > y) != (yj > y) and x < (xj - xi) * (y - yi) / (yj - yi) + xi:
            inside = not inside
    return inside


def plain(text):
    """Text without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.category(c).startswith("M"))


def disjoint(boxes):
    overlap = lambda a, b: min(a[2], b[2]) - max(a[0], b[0]) > 0.01 and min(a[3], b[3]) - max(a[1], b[1]) > 0.01
    return not any(overlap(a, b) for place, a in enumerate(boxes) for b in boxes[:place])


class Visit:
    """A page in the browser, and what a person does there."""

    def __init__(self, browser, map_, width=1300, height=800, address=None, motion="reduce", **context):
        self.map = map_
        self.context = browser.new_context(viewport={"width": width, "height": height}, offline=True,
                                           accept_downloads=True, reduced_motion=motion, **context)
        self.page = self.context.new_page()
        self.complaints = []
        self.address = address or map_.path.as_uri()
        self.page.on("request", self.requested)
        self.page.on("console", lambda message: message.type in ("error", "warning")
                     and not harmless(message.text) and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        begun = time.monotonic()
        self.page.goto(self.address)
        self.frame = self.page.main_frame
        if address is None:
            self.wait(lambda: self.call("Boolean(window.topicframe && topicframe.ready)"), "the page to be ready")
        self.seconds = time.monotonic() - begun

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            assert not self.complaints, self.complaints
        self.context.close()

    def requested(self, request):
        if request.url != self.address and not request.url.startswith(("data:", "blob:", "about:")):
            self.complaints.append(f"request: {request.url}")

    def call(self, expression, value=None):
        """The page's policy forbids evaluating strings, so playwright waits for nothing here."""
        return self.frame.evaluate(f"async (value) => {{ const result = await ({expression}); return result; }}", value)

    def wait(self, look, what, seconds=30):
        end = time.monotonic() + seconds
        while not look():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}")
            time.sleep(GLANCE)

    def state(self):
        return self.call("topicframe.state()")

    def settle(self):
        """Until what was asked for is on the screen: nothing is in motion for who wants less of it."""
        self.call("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))))")

    def fly(self, place, scale):
        self.call("topicframe.flyTo(...value)", [*place, scale])
        self.settle()

    def all(self):
        self.page.keyboard.press("Escape")
        self.page.locator("#zoom-all").click()
        self.settle()

    def text(self, selector):
        return self.frame.locator(selector).inner_text()

    def on_screen(self, row):
        return self.call("topicframe.at(value)", row)

    def plane(self, place):
        """What is in the plane at a place of the page."""
        state, box = self.state(), self.frame.locator("#map").bounding_box()
        return tuple((place[i] - box["xy"[i]] - box[("width", "height")[i]] / 2) / state["scale"] + state["center"][i]
                     for i in (0, 1))

    def drag(self, *places, keys=()):
        mouse = self.page.mouse
        for key in keys:
            self.page.keyboard.down(key)
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place)
        mouse.up()
        for key in keys:
            self.page.keyboard.up(key)

    def pixel(self, place):
        """The color at a place of the page, points only."""
        self.call("document.getElementById('over').style.visibility = 'hidden'")
        clip = {"x": math.floor(place[0]), "y": math.floor(place[1]), "width": 1, "height": 1}
        picture = self.page.screenshot(clip=clip)
        self.call("document.getElementById('over').style.visibility = ''")
        return color_of(picture)


def color_of(png):
    """The color of a PNG with one pixel: whichever its filter is, it does not change that."""
    at, packed = 8, b""
    while at < len(png):
        length, kind = int.from_bytes(png[at:at + 4], "big"), png[at + 4:at + 8]
        if kind == b"IDAT":
            packed += png[at + 8:at + 8 + length]
        at += length + 12
    return list(zlib.decompress(packed)[1:4])


def harmless(message):
    # Of the software renderer, when a test reads pixels.
    return "GPU stall due to ReadPixels" in message or "Automatic fallback to software WebGL" in message


def components(color):
    return [int(color[at:at + 2], 16) for at in (1, 3, 5)]


def check_colors(visit, number=4):
    """In the middle of a topic, a point has the topic's color."""
    map_, checked = visit.map, 0
    palette = map_.data["colors"]["dark" if visit.state()["dark"] else "light"]
    for group, topic in enumerate(map_.topics):
        if topic["id"] < 0 or topic["at"] is None or topic["color"] is None or checked == number:
            continue
        apart, row = map_.apart(group)[0]
        # Points are at most 13 pixels wide.
        if apart < 15:
            continue
        visit.fly(map_.at(row), min(14 / apart, 2) if apart * 0.2 < 14 else 0.2)
        found = visit.pixel(visit.on_screen(row))
        wanted = components(palette[topic["color"]])
        # Points are not quite opaque.
        assert math.dist(found, wanted) < 50, (topic["label"], found, wanted)
        nearest = min(range(len(palette)), key=lambda color: math.dist(found, components(palette[color])))
        assert palette[nearest] == palette[topic["color"]] or math.dist(found, wanted) < 30, (topic["label"], found)
        checked += 1
    assert checked >= 3, checked


def check_hover(visit, written):
    """The pointer on a known row shows its text, its topic and its number. `written` is each row's text in the CSV."""
    map_ = visit.map
    rows = random.Random(3).sample([row for row in range(map_.rows) if map_.has_place(row)], 40)
    everywhere = [row for row in range(map_.rows) if map_.has_place(row)]
    rows = sorted(rows, key=lambda row: map_.distance(row, everywhere), reverse=True)[:3]
    for row in rows:
        visit.fly(map_.at(row), 0.5)
        visit.page.mouse.move(*visit.on_screen(row))
        visit.wait(lambda: visit.frame.locator("#card .text:not(.waiting)").count() == 1, "the text of a document")
        number = map_.numbers_of_rows[row]
        shown = visit.call("document.querySelector('#card .text').textContent")
        text = " ".join(written[number].split())
        assert " ".join(shown.removesuffix("…").split()) in text and shown[:20].strip(), (shown, text)
        assert shown.endswith("…") or " ".join(shown.split()) == text, (shown, text)
        assert map_.topics[map_.groups[row]]["label"] in visit.text("#card .topic")
        assert re.search(rf"row\s+{number}\b", visit.text("#card dl"))
        # A click keeps it.
        visit.page.mouse.down()
        visit.page.mouse.up()
        visit.page.mouse.move(300, 790)
        assert visit.call("document.querySelector('#card').textContent").startswith(shown[:10])
        visit.page.keyboard.press("Escape")
        assert not visit.frame.locator("#card").is_visible()


def check_search(visit, query):
    words = plain(query).split()
    begins = [re.compile(rf"(?<!\w){re.escape(word)}") for word in words]
    wanted = {row for row, text in enumerate(visit.map.texts) if all(word.search(plain(text)) for word in begins)}
    assert 0 < len(wanted) < visit.map.rows, (query, len(wanted))
    visit.page.keyboard.press("/")
    visit.page.keyboard.type(query)
    where = f" in the first {visit.map.data['texts']['limit']} characters" if visit.map.data["texts"]["cut"] else ""
    visit.wait(lambda: visit.text("#found") == f"{len(wanted):,} text{'s' * (len(wanted) != 1)} found{where}",
               f"{len(wanted)} texts with {query!r}")
    assert visit.state()["matches"] == len(wanted)
    visit.page.get_by_role("button", name="Select these").click()
    assert sorted(visit.state()["selected"]) == visit.map.numbers_of(wanted)
    visit.page.locator("#selection-clear").click()
    visit.page.locator("#query").press("Escape")
    visit.wait(lambda: visit.state()["matches"] == visit.map.rows, "the search to be cleared")


def check_selection(visit):
    """Rectangle and lasso, alone and combined by the keys."""
    map_, page = visit.map, visit.page
    visit.all()
    first, second = (560, 240), (860, 460)
    page.get_by_role("button", name="Rectangle select").click()
    visit.drag(first, second)
    rectangle = map_.inside([visit.plane(first), visit.plane(second)])
    assert rectangle and sorted(visit.state()["selected"]) == map_.numbers_of(rectangle)
    lasso_path = [(700, 300), (960, 280), (1010, 480), (820, 590), (760, 420)]
    lasso = map_.inside([visit.plane(place) for place in lasso_path])
    page.get_by_role("button", name="Lasso select").click()
    assert lasso - rectangle and rectangle - lasso and lasso & rectangle
    for keys, wanted in (((), lasso), (("Shift",), lasso | rectangle), (("Alt",), rectangle - lasso),
                         (("Shift", "Alt"), rectangle & lasso)):
        visit.call("topicframe.select('rectangle', value, 'replace')", [visit.plane(first), visit.plane(second)])
        visit.drag(*lasso_path, keys=keys)
        assert sorted(visit.state()["selected"]) == map_.numbers_of(wanted), (keys, len(wanted))
        assert visit.text("#selection-count") == f"{len(wanted):,} selected"
    # The buttons do the same as the keys.
    page.get_by_role("button", name="Add", exact=True).click()
    visit.drag(*lasso_path)
    assert sorted(visit.state()["selected"]) == map_.numbers_of(lasso | rectangle & lasso)
    page.get_by_role("button", name="Replace", exact=True).click()
    check_exports(visit, lasso)
    page.get_by_role("button", name="Move the map").click()
    page.locator("#selection-clear").click()
    assert visit.state()["selected"] == []


def check_exports(visit, rows):
    map_, page = visit.map, visit.page
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        content = file.read()
    read = list(csv.reader(content.splitlines(keepends=True), strict=True))
    assert content.count("\r\n") >= len(rows) + 1
    topic = lambda row: map_.topics[map_.groups[row]]
    assert read[0] == ["row", "topic", "name", "text"]
    assert read[1:] == [[str(map_.numbers_of_rows[row]), str(topic(row)["id"]), topic(row)["name"],
                         map_.texts[row] if map_.texts else ""] for row in sorted(rows)]
    numbers = ", ".join(str(number) for number in map_.numbers_of(rows))
    frame = map_.data["rust"]["frame"]
    line = f'let rows = IdxCa::from_vec("row".into(), vec![{numbers}]);\nlet selected = {frame}.take(&rows)?;'
    # Without leave to write to the clipboard, the text is shown and selected.
    visit.call("Object.defineProperty(navigator, 'clipboard', { value: undefined }), true")
    for name, wanted in (("Copy row numbers", numbers), ("Copy as Rust", line)):
        page.get_by_role("button", name=name, exact=True).click()
        visit.wait(lambda: visit.frame.locator("#copy-text").is_visible(), "the text to copy")
        assert visit.frame.locator("#copy-text").input_value() == wanted
        assert visit.call("getSelection().toString().length") or visit.call("document.activeElement.id") == "copy-text"


def check_labels(visit):
    """Labels never overlap, and there are more of them from near."""
    visit.all()
    fit = visit.state()["fit"]
    shown = 0
    for zoom in (0.7, 1, 1.5, 2.3, 4, 7):
        visit.call("topicframe.flyTo(...value)", [*visit.state()["center"], fit * zoom])
        visit.settle()
        labels = visit.state()["labels"]
        assert disjoint([label["box"] for label in labels]), (zoom, labels)
        shown += len(labels)
    assert shown > 5, shown


def check_pictures(visit):
    visit.all()
    fit, before = visit.state()["fit"], set()
    for zoom in (1, 1.4, 2, 3, 5):
        visit.call("topicframe.flyTo(...value)", [*visit.state()["center"], fit * zoom])
        visit.settle()
        state = visit.state()
        boxes = [picture["box"] for picture in state["pictures"]]
        assert len(boxes) > 5 and disjoint(boxes), (zoom, len(boxes))
        # None that is still in sight has vanished.
        rows = {picture["row"] for picture in state["pictures"]}
        box = visit.frame.locator("#map").bounding_box()
        for row in before - rows:
            x, y = visit.on_screen(row)
            assert not (box["x"] + 1 < x < box["x"] + box["width"] - 1 and 1 < y < box["y"] + box["height"] - 1), row
        before = rows
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    row = min(rows, key=lambda row: math.dist(visit.on_screen(row), middle))
    visit.page.mouse.move(*visit.on_screen(row))
    visit.wait(lambda: visit.frame.locator("#card .picture").is_visible(), "the picture of a document")


def check_timeline(visit):
    map_, page = visit.map, visit.page
    visit.all()
    track, last = page.locator("#time-track").bounding_box(), len(map_.data["time"]["bins"]) - 1
    bin_at = lambda x: math.floor((x - track["x"]) / track["width"] * (last + 1))
    wanted = lambda first, end: sum(1 for bin_ in map_.bins if first <= bin_ <= end and bin_ != 255)
    middle = track["y"] + track["height"] / 2
    left, right = track["x"] + 0.31 * track["width"], track["x"] + 0.57 * track["width"]
    visit.drag((left, middle), (right - 9, middle), (right, middle))
    first, end = bin_at(left), bin_at(right)
    assert visit.state()["time"] == [first, end]
    assert visit.state()["matches"] == wanted(first, end) > 0
    bins = map_.data["time"]["bins"]
    assert map_.data["time"]["period"] and end < last
    assert visit.text("#time-range") == f"from {bins[first]['label']} to before {bins[end + 1]['label']}"
    # By a bin to the right, then without its last bin, by the keyboard.
    page.locator("#time-brush").press("ArrowRight")
    page.locator("#time-to").press("ArrowLeft")
    assert visit.state()["time"] == [first + 1, end]
    assert visit.state()["matches"] == wanted(first + 1, end)
    # Together with a topic.
    page.locator("#topic-list input").first.check()
    both = sum(1 for row in range(map_.rows) if map_.groups[row] == 0 and first + 1 <= map_.bins[row] <= end)
    assert visit.state()["matches"] == both, (visit.state()["matches"], both)
    page.locator("#all-topics").click()
    page.locator("#time-clear").click()
    assert visit.state()["matches"] == map_.rows


def check_colors_of_values(visit):
    """Each column's colors, by a row's pixel, and the legend's counts."""
    for value, option in enumerate(visit.map.data["values"]):
        visit.frame.locator("#color-by").select_option(str(value))
        assert visit.state()["colorBy"] == option["column"]
        legend = visit.text("#legend")
        for entry in option.get("classes", []):
            assert entry["name"] in legend and f"{entry['count']:,}" in legend, legend
        if option["kind"] != "class":
            continue
        codes, map_ = visit.map.inflated(f"tf-value-{value}"), visit.map
        palette = map_.data["colors"]["light"]
        everywhere = [row for row in range(map_.rows) if map_.has_place(row)]
        rows = [row for row in random.Random(5).sample(everywhere, 40) if codes[row] < len(option["classes"])]
        for row in sorted(rows, key=lambda row: map_.distance(row, everywhere), reverse=True)[:2]:
            visit.fly(map_.at(row), 0.6)
            found = visit.pixel(visit.on_screen(row))
            assert math.dist(found, components(palette[option["classes"][codes[row]]["color"]])) < 50, (row, found)
        check_classes(visit, option, codes)
    visit.frame.locator("#color-by").select_option("topic")


def check_classes(visit, option, codes):
    """The legend filters, together with the list of topics, and whatever the colors mean."""
    map_, frame = visit.map, visit.frame
    first, second = frame.locator("#legend input").all()[:2]
    first.check()
    assert visit.state()["matches"] == option["classes"][0]["count"] == sum(1 for code in codes if code == 0)
    second.check()
    assert visit.state()["matches"] == sum(1 for code in codes if code < 2)
    second.uncheck()
    frame.locator("#topic-list input").first.check()
    frame.locator("#color-by").select_option("topic")
    assert visit.state()["matches"] == sum(1 for row in range(map_.rows) if map_.groups[row] == 0 and codes[row] == 0) > 0
    frame.get_by_role("button", name=f"{option['column']}: {option['classes'][0]['name']}").click()
    frame.locator("#all-topics").click()
    assert visit.state()["matches"] == map_.rows


def check_keyboard(visit):
    visit.all()
    before = visit.state()
    visit.page.locator("#map").focus()
    visit.page.keyboard.press("+")
    visit.wait(lambda: visit.state()["scale"] > 1.4 * before["scale"], "the map to come nearer")
    visit.settle()
    visit.page.keyboard.press("ArrowRight")
    assert visit.state()["center"][0] > before["center"][0]
    visit.page.keyboard.press("0")
    visit.wait(lambda: abs(visit.state()["scale"] / before["scale"] - 1) < 1e-6, "the whole map")
    visit.page.mouse.move(700, 400)
    visit.page.mouse.wheel(0, -300)
    visit.wait(lambda: visit.state()["scale"] > 1.3 * before["scale"], "the wheel to zoom")
    visit.all()


def check_context(visit):
    """Without its context the map is drawn by the processor, and by WebGL when it is back."""
    assert visit.state()["renderer"] == "webgl2"
    group = next(group for group, topic in enumerate(visit.map.topics) if topic["color"] is not None)
    row = visit.map.apart(group)[0][1]
    visit.fly(visit.map.at(row), 1)
    spot = visit.on_screen(row)
    before = visit.pixel(spot)
    visit.call("topicframe.lose()")
    visit.wait(lambda: visit.state()["renderer"] == "canvas", "the loss of the context")
    visit.settle()
    assert math.dist(visit.pixel(spot), before) < 12, (visit.pixel(spot), before)
    visit.call("topicframe.restore()")
    visit.wait(lambda: visit.state()["renderer"] == "webgl2", "the context to come back")
    visit.settle()
    assert math.dist(visit.pixel(spot), before) < 4, (visit.pixel(spot), before)


def check_narrow(visit):
    page = visit.page
    assert visit.call("document.documentElement.scrollWidth") <= 420
    assert visit.frame.locator("#map").bounding_box()["height"] > 400
    page.locator("#drawer-open").click()
    item = page.locator("#topic-list li").first
    visit.wait(item.is_visible, "the list of topics")
    visit.wait(lambda: visit.map.topics[0]["label"] in item.inner_text(), "the first topic")
    before = visit.state()["scale"]
    item.get_by_role("button").click()
    visit.wait(lambda: visit.state()["scale"] > before, "the flight to the topic")
    visit.wait(lambda: not page.locator("#drawer").is_visible(), "the drawer to close")


def check_hidden_frame(browser, map_):
    """In a frame of a notebook that is shown later, the map draws when it is shown."""
    holder = map_.path.with_name("holder.html")
    source = html.escape(map_.source)
    holder.write_text(f'<!DOCTYPE html><meta charset="utf-8"><iframe sandbox="allow-scripts allow-downloads" style="display:none;width:900px;'
                      f'height:500px;border:0" srcdoc="{source}"></iframe>', encoding="utf-8")
    with Visit(browser, map_, 960, 560, holder.as_uri()) as visit:
        visit.page.wait_for_timeout(300)
        visit.page.evaluate("() => { document.querySelector('iframe').style.display = 'block'; }")
        visit.frame = visit.page.frames[1]
        visit.wait(lambda: visit.call("Boolean(window.topicframe && topicframe.ready)"), "the frame to be ready")
        visit.settle()
        assert visit.state()["labels"]


def posts_csv(path, rows=20_000):
    """Posts about 12 things, with a date that goes with the thing, and a class."""
    words = ["cats and dogs", "fast trains", "ripe apples", "space rockets", "football goals", "piano music",
             "old churches", "winter snow", "blue whales", "red wine", "solar panels", "chess openings"]
    other = ("today we saw how it was made and why people like them so much that nobody could say more about "
             "their size price age color taste speed weight history family").split()
    chance = random.Random(11)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "date", "class"])
        for row in range(rows):
            thing = row % len(words)
            text = f"{words[thing]}, {' '.join(chance.sample(other, 6))} \"{words[thing].split()[-1]}\" Café {row % 97}"
            month = min(max(int(chance.gauss(4 * thing + 6, 7)), 0), 59)
            writer.writerow([text, f"{2020 + month // 12}-{month % 12 + 1:02}-{chance.randint(1, 28):02}",
                             chance.choice(["news", "question", "answer", "joke"])])


def column_of(path, name):
    with open(path, encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def make(program, table, page, *options):
    subprocess.run([program, "fit", str(table), *options, "--map", str(page)], check=True, stdout=subprocess.DEVNULL)
    return Map(page)


def check_drawings(browser, map_, written, folder):
    with Visit(browser, map_) as visit:
        visit.wait(lambda: visit.state()["pictures"], "the pictures")
        visit.page.screenshot(path=folder / "map-drawings.png")
        for check in (check_pictures, check_labels, check_selection, check_colors):
            check(visit)
        check_hover(visit, written)
        check_search(visit, "bird")
        print(f"drawings: ready after {visit.seconds:.1f} s", flush=True)
    with Visit(browser, map_, 420, 800) as visit:
        visit.all()
        visit.page.screenshot(path=folder / "map-drawings-narrow.png")
        labels = visit.state()["labels"]
        boxes = [label["box"] for label in labels]
        assert len(boxes) > 3 and disjoint(boxes), labels
        # Those of topics near the edge are moved in.
        assert all(box[0] >= 0 and box[2] <= 420 for box in boxes), labels
    check_hidden_frame(browser, map_)


def check_posts(browser, map_, written, query, folder):
    with Visit(browser, map_) as visit:
        visit.page.screenshot(path=folder / "map-posts.png")
        for check in (check_labels, check_timeline, check_selection, check_colors, check_colors_of_values, check_keyboard):
            check(visit)
        check_hover(visit, written)
        check_search(visit, query)
        check_context(visit)
        print(f"posts: ready after {visit.seconds:.1f} s", flush=True)
        assert not visit.state()["dark"]
        visit.page.emulate_media(color_scheme="dark")
        visit.wait(lambda: visit.state()["dark"], "the dark page")
        check_colors(visit, 3)
        visit.all()
        assert sum(visit.pixel((290, 300))) < 120
        visit.page.screenshot(path=folder / "map-dark.png")
        visit.page.get_by_role("button", name="Light or dark").click()
        assert not visit.state()["dark"]
    with Visit(browser, map_, 420, 800, motion="no-preference", has_touch=True) as visit:
        visit.page.screenshot(path=folder / "map-narrow.png")
        check_narrow(visit)


def check_levels(browser, map_):
    """A level of topics that is chosen has its own labels, and only these."""
    levels = map_.data["layers"]
    assert levels
    with Visit(browser, map_) as visit:
        visit.all()
        layers = lambda: {label["layer"] for label in visit.state()["labels"]}
        for level in range(len(levels)):
            visit.page.locator("#layer").select_option(str(level))
            # The topics themselves are layer 0.
            visit.wait(lambda: layers() == {level + 1}, f"the labels of level {level}")
            check_labels(visit)


def check_without_webgl(browser, map_, query, folder):
    """The processor draws the same map."""
    with Visit(browser, map_) as visit:
        assert visit.state()["renderer"] == "canvas"
        visit.page.screenshot(path=folder / "map-without-webgl.png")
        check_colors(visit)
        check_search(visit, query)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="topicframe")
    parser.add_argument("--pictures", type=pathlib.Path, help="where the screenshots go")
    arguments = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium not found: install it, or set $CHROMIUM to its path")
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        pictures = arguments.pictures or folder
        pictures.mkdir(parents=True, exist_ok=True)
        posts_csv(folder / "posts.csv")
        captions = DRAWINGS / "captions.csv"
        drawings = make(arguments.program, captions, folder / "drawings.html", "--text", "caption", "--images", "image")
        posts = make(arguments.program, folder / "posts.csv", folder / "posts.html", "--text", "text", "--time", "date",
                     "--class", "class")
        # Many small topics, so that there are coarser ones.
        levels = make(arguments.program, captions, folder / "levels.html", "--text", "caption", "--min-cluster-size", "4")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=SOFTWARE)
            check_levels(browser, levels)
            check_drawings(browser, drawings, column_of(captions, "caption"), pictures)
            check_posts(browser, posts, column_of(folder / "posts.csv", "text"), "café rockets", pictures)
            browser.close()
            browser = playwright.chromium.launch(executable_path=chromium, args=WITHOUT_WEBGL)
            check_without_webgl(browser, posts, "café rockets", pictures)
            browser.close()
    print("maps: points, labels, levels, pictures, hover, search, selection, timeline, dark, no WebGL: right", flush=True)


if __name__ == "__main__":
    main()
