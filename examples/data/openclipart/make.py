#!/usr/bin/env python3
"""Make this data set: small public-domain drawings with captions, from two Debian packages.

    apt-get download openclipart-png openclipart-svg
    python3 make.py openclipart-png_*.deb openclipart-svg_*.deb

Made with: openclipart-png and openclipart-svg 1:0.18+dfsg-19 (Debian 12 "bookworm"), Python 3.11, Pillow 13.0.0,
dpkg-deb (any). The result is the same each time; another Pillow or libwebp may encode the images differently.

Steps: unpack the packages, read the RDF metadata of each SVG file, keep one of each set of equal drawings, leave out
what the rules below and `edits.csv` name, make a caption, shrink the image, write `captions.csv`.
It replaces `images/` and `captions.csv` beside this file, and prints how many drawings each step left.
"""

import argparse
import collections
import concurrent.futures
import csv
import html
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
import xml.etree.ElementTree as ElementTree

from PIL import Image, ImageChops, ImageStat

HERE = pathlib.Path(__file__).resolve().parent
SIDE = 160  # longest side of a picture, in pixels
MARGIN = 3  # white border around the drawing, in pixels
QUALITY = 30  # of lossy WebP; 45 looks the same and takes a fifth more
MAX_PIXELS = 40_000_000  # larger sources are left out: 14, of up to 620 million
MAX_ASPECT = 6.0
SAME = 1.25  # mean difference (0 to 255) of two 16 x 16 thumbnails below which two drawings are the same

# Folders of the package, in the order in which a drawing that lies in several of them is filed.
FOLDERS = (
    "animals food plants transportation buildings tools recreation education office electronics science containers"
    " geography people decorations unsorted"
).split()

# Whole series that are left out, by path, with the reason. Single drawings are in edits.csv.
RULES = [
    (r"/weapons/(bullet|9_mm|ak47|blue_gun|fat_man|little_boy|m16|mortar|m1_ab|projectile|kallisti)", "weapons"),
    (r"m1_abrams", "weapons"),
    (r"^recreation/religion/", "religious symbols"),
    (r"pantyhose|stripper|sexy|hide_girl", "nude or sexualised"),
    (r"martin_luther|einstein|xbill", "real persons and caricatures of them"),
    (r"hummer", "brand"),
    (r"/cards/(bordered|simple|white|cardbacks)/|/cards/ornamental/ornamental_._([2-9]|10)$", "long series"),
    (r"/boating_rules|/sailing_capsize[1-9]", "long series"),
    (r"^geography/(.*(black|outline|shad)|australia_|south_aus)", "long series (maps of Australian states)"),
    (r"/people_juliane_krug_0[2-9]|/blueman_|/sm_0(09|1|2)|/smiley0", "long series"),
    (r"/aiga_.*arrow|/aiga_.*1$", "long series (each sign is there framed and unframed)"),
    (r"flourish|tribal", "ornaments"),
]

# Titles that name a collection, not the drawing: the words of the file name say more.
COLLECTION_TITLE = re.compile(
    r"^$|Clipart by|Various Cliparts|Etiquette Icons|Homes Clipart|R1[56] |Road Signs|Chess pieces|Menu Clip Art"
)

# Descriptions that speak of the file or its maker.
NOT_A_DESCRIPTION = re.compile(
    r"@|https?:|www\.|e-?mail|created|made |drawn by|clip ?art|submis|inkscape|traced|HASH\(|vector|converted"
    r"|this work is|originally|derivative|drew|lincity|tutorial|daughter|\bfor luba\b|\bum[a]? |designed|\.svg"
    r"|simplified|icon of|roadsigns|midwestern",
    re.IGNORECASE,
)

# What a folder of the package says about its drawings; used where the metadata has fewer than three keywords.
FOLDER_WORDS = {
    "animals": "animal", "birds": "bird", "bugs": "insect", "mammals": "mammal", "fish": "fish", "housecats": "cat",
    "dogs": "dog", "horses": "horse", "bears": "bear", "dinosaurs": "dinosaur", "food": "food", "fruit": "fruit",
    "beverages": "drink", "desserts": "dessert", "vegetables": "vegetable", "plants": "plant", "flowers": "flower",
    "trees": "tree", "vehicles": "vehicle", "boating": "boat", "transportation": "transport", "homes": "home",
    "buildings": "building", "furniture": "furniture", "tools": "tool", "music": "music", "sports": "sports",
    "toys": "toy", "games": "game", "holiday": "holiday", "party": "party", "books": "book", "office": "office",
    "education": "education", "electronics": "electronics", "science": "science", "astronomy": "astronomy",
    "medicine": "medicine", "containers": "container", "people": "people", "bodypart": "body part",
    "clothing": "clothing", "hats": "hat", "smilies": "smiley", "telephone": "telephone", "battery": "battery",
}  # fmt: skip
COMMON_WORDS = set("a an and at by for in is it of on the this to with".split())

# Keywords that say nothing about the drawing: file, collection, place of publication, or not English.
DROPPED_KEYWORDS = set(
    """hash unsorted recreation entertainment menu icon icons appicon mimeicon mapsym networksym musicsym weathersym
    mathsymbol openclipart clipart svg logo shape shapes symboll symbols flowchart flourish callout religholiday usholiday
    ebay work activities activity illustration equipment fonts place places t external contrib religion christianity
    tux linux mascot debian computer farfalla papillon felini felino animali animale ours cochon kawai pesce rana maison
    accueil karetka pogotowia ambulans gratis gens reunion homem vanoce odkurzacz aviso alertas forbici automne
    peperoncino piment lotas dragonly lumen rca philips kamal slon afrika elefant xmass vectorized bobine voiture 4weels engrenagem mecanica foot
    ballon maetgrinder imformation noze bamby olifant oliphant utensile orchester violon architettura pudim polska
    tigerorangegreenvector bypasspruner bypasslopper hedgeshear leafrake roundpoint object objects burnerobject utils
    cayennepepperfoodspicyhot plantsvegetablesonion womaneyes deserts foodfruits wilflife skewl froggy froggies nice
    style usmail postage eclips cornia fastner leafs cut venustus nimbochromis airbus airlines grandstream fest djambe
    musichall vegetal photosynthesis nox muslim weapon activities dvb info boat2 silhouet""".split()
) | {"architetto francesco rollandin", "clip art", "pere noel", "sapin de noel", "xmass tree", "lutte incendie"}
KEYWORD_SPELLING = {
    "vegitable": "vegetable", "icecream": "ice cream", "airtravel": "air travel", "roadtravel": "road travel",
    "bodypart": "body part", "roadsign": "road sign", "northamerica": "North America", "latinamerica": "Latin America",
    "north_america": "North America", "beatle": "beetle", "silhouet": "silhouette", "headohones": "headphones",
    "toothedwhale": "toothed whale", "xmas": "christmas", "transportation": "transport", "mallot": "mallet",
    "eiffeltower": "tower", "cartooon": "cartoon", "multiplying": "magnifying", "fireengine": "fire engine",
    "magnifing": "magnifying", "stamper": "stapler", "animals": "animal", "mammals": "mammal", "musicstuff": "music",
    "tools": "tool", "vehicles": "vehicle", "toys": "toy", "plants": "plant", "fruits": "fruit", "buildings": "building",
}  # fmt: skip
TITLE_SPELLING = {
    "blowling": "bowling", "vavuum": "vacuum", "mulit": "multi", "vegitables": "vegetables", "grass hopper":
    "grasshopper", "scrathing": "scratching", "envelop": "envelope", "cacuts": "cactus", "silhouet": "silhouette",
    "volley-ball": "volleyball", "volley ball": "volleyball", "volleball": "volleyball", "balearian": "Balearic",
    "magnifing": "magnifying", "ayres": "Ayers", "tennis_racket": "tennis racket", "champignon": "mushroom",
    "ambulans": "ambulance", "bicicletta": "bicycle", "eather": "feather", "balloons-aj": "balloons",
}  # fmt: skip


# --- the metadata -------------------------------------------------------------------------------------------------


def local(tag):
    return tag.rsplit("}", 1)[-1]


def clean(text):
    """Entities resolved, UTF-8 that was read as Latin-1 repaired, white space joined."""
    text = html.unescape(html.unescape(text or ""))
    if "Ã" in text or "Â" in text:
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            text = text.replace("Ã", "").replace("Â", "")
    text = re.sub(r"<[^>]*>", " ", text)
    text = "".join(c for c in text if c.isprintable() and c != "\ufffd" or c.isspace())
    return " ".join(text.split())


def metadata(svg):
    """Title, description, keywords, author and licence of an SVG file's RDF block; None without one."""
    root = ElementTree.fromstring(svg.read_bytes())
    work = next((e for e in root.iter() if local(e.tag) == "Work"), None)
    if work is None:
        return None
    found = dict(title="", description="", keywords=[], author="", license="")
    for field in work:
        name = local(field.tag)
        if name in ("title", "description"):
            found[name] = clean(field.text)
        elif name == "subject":
            found["keywords"] = [clean(e.text) for e in field.iter() if local(e.tag) == "li"]
        elif name == "creator":
            found["author"] = author(" ".join(e.text or "" for e in field.iter() if local(e.tag) == "title"))
        elif name == "license":
            found["license"] = next(iter(field.attrib.values()), "")
    return found


def author(name):
    """The name as credit, without electronic addresses; 'unknown' if nothing is left."""
    name = re.sub(r"[<(][^>)]*(@|/)[^>)]*[>)]|\S*@\S*|\S*(www\.|https?:)\S*", " ", clean(name))
    name = re.sub(r"\S*AT\S*DOT\w*|\S* ON \w+\.\w\w\b", " ", name)  # addresses in words
    name = re.sub(r"[-,;\s]+$", "", name).strip()
    return name if re.search(r"\w\w", name) else "unknown"


def public_domain(license_uri):
    return license_uri == "" or license_uri.replace(" ", "").lower().rstrip("/").endswith("publicdomain")


# --- the caption --------------------------------------------------------------------------------------------------


def stem_words(text):
    """Words in lower case without a plural s, to compare."""
    return {re.sub(r"(?<=\w\w)s$", "", word) for word in re.findall(r"\w+", text.lower())}


def plain_title(drawing, data):
    """The title in the metadata, or the words of the file name where that names a collection."""
    title = data["title"]
    if COLLECTION_TITLE.search(title):
        title = re.sub(r"[-_](md|v0\.1|simple|ganson)\b", "", drawing.rsplit("/", 1)[-1])
        title = re.sub(r"^contour_([aeiou])", r"silhouette of an \1", title)
        title = re.sub(r"^contour_", "silhouette of a ", title)
        if "road sign" in data["keywords"] or "/roadsigns/" in drawing:
            title = "road sign: " + title
    title = re.sub(r"\(B and W\)|\| circle|\.svg$| - (clothing|body part)", "", title.replace("_", " "))
    title = re.sub(r"(?<=[a-zA-Z)])\s*#?\d+$", "", title.strip(" ."))
    for wrong, right in TITLE_SPELLING.items():
        title = re.sub(rf"\b{wrong}\b", right, title, flags=re.IGNORECASE)
    title = " ".join(title.split())
    return title[:1].upper() + title[1:]


def plain_description(title, data):
    """The description, if it is about the drawing and says more than the title; at most two sentences."""
    text = re.sub(r",? enjoy it!\.?", "", data["description"])
    if NOT_A_DESCRIPTION.search(text) or len(stem_words(text) - stem_words(title) - COMMON_WORDS) < 2 or not text.isascii():
        return ""
    text = " ".join(re.split(r"(?<=[.!?])\s+", text)[:2])
    return "" if len(text) > 160 else text[:1].upper() + text[1:].rstrip(" .")


def plain_keywords(data):
    """Keywords that say something, in the order of the metadata, each once."""
    result = []
    for keyword in data["keywords"]:
        sentence = keyword.count(" ") > 1 and keyword.lower() not in DROPPED_KEYWORDS
        for word in re.split(r"[,\s]+" if sentence else ",", keyword):
            word = " ".join(word.lower().replace("_", " ").split())
            word = KEYWORD_SPELLING.get(word.replace(" ", "_"), KEYWORD_SPELLING.get(word, word))
            junk = word.lower() in DROPPED_KEYWORDS or re.search(r"\d|hash\(|http|@", word) or len(word) < 2
            if not junk and word.isascii():
                result.append(word)
    return result


def folder_keywords(drawing, edit):
    """The words of the drawing's folders, innermost first; none for a drawing that was filed elsewhere by edits.csv."""
    folders = [] if edit.get("category") else drawing.split("/")[:-1]
    if "furniture" in folders:
        folders.remove("buildings")
    return [FOLDER_WORDS[folder] for folder in reversed(folders) if folder in FOLDER_WORDS]


def caption(drawing, data, edit):
    """Title, description and keywords as one text; a keyword that only repeats a word is left out."""
    title = edit.get("title") or plain_title(drawing, data)
    description = "" if edit.get("title") else plain_description(title, data)
    wanted = edit.get("keywords", "")
    keywords = [word.strip() for word in wanted.lstrip("+").split(",") if word.strip()]
    if not wanted or wanted.startswith("+"):
        keywords = plain_keywords(data) + keywords
    if len(keywords) < 3:
        keywords = keywords + folder_keywords(drawing, edit)
    said, kept = stem_words(title + " " + description), []
    joined = re.sub(r"\W", "", title.lower())
    for keyword in keywords:
        repeated = len(keyword) > 8 and re.sub(r"\W", "", keyword.lower()) in joined
        if not repeated and stem_words(keyword) - said and len(kept) < 10:
            kept.append(keyword)
            said |= stem_words(keyword)
    text = ". ".join(part for part in (title, description, ", ".join(kept)) if part)
    return re.sub(r"([.!?])\.(?=\s|$)", r"\1", text)


# --- the pictures -------------------------------------------------------------------------------------------------


def on_white(path):
    """The drawing on a white ground, cut to its content; or the reason why it cannot be used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(path)
    if image.width * image.height > MAX_PIXELS:
        return "too large to decode"
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    rgb = ground.convert("RGB")
    differs = ImageChops.invert(rgb).split()
    strongest = ImageChops.lighter(ImageChops.lighter(differs[0], differs[1]), differs[2])
    box = strongest.point(lambda v: 255 if v > 8 else 0).getbbox()
    if box is None:
        return "blank"
    width, height = box[2] - box[0], box[3] - box[1]
    if max(width / height, height / width) > MAX_ASPECT:
        return "long and thin"
    return rgb.crop(box)


def shrink(path):
    """An image of at most SIDE pixels with a white border, and its 16 x 16 thumbnail."""
    rgb = on_white(path)
    if isinstance(rgb, str):
        return rgb
    inner = SIDE - 2 * MARGIN
    rgb.thumbnail((inner, inner), Image.Resampling.LANCZOS, reducing_gap=4.0)
    if ImageStat.Stat(rgb.convert("L")).stddev[0] < 4:
        return "blank"
    framed = Image.new("RGB", (rgb.width + 2 * MARGIN, rgb.height + 2 * MARGIN), "white")
    framed.paste(rgb, (MARGIN, MARGIN))
    return framed, rgb.resize((16, 16), Image.Resampling.BOX).tobytes(), rgb.width / rgb.height


def shrink_all(drawings, png):
    """(picture, thumbnail, aspect) or a reason, for each drawing in turn."""
    paths = [png / f"{drawing}.png" for drawing in drawings]
    Image.MAX_IMAGE_PIXELS = None  # sizes are checked in on_white, before decoding
    with concurrent.futures.ProcessPoolExecutor() as pool:
        return dict(zip(drawings, pool.map(shrink, paths, chunksize=16)))


# --- the choice ---------------------------------------------------------------------------------------------------


def filing_order(drawing):
    parts = drawing.split("/")
    return FOLDERS.index(parts[0]), -len(parts), drawing


def same_drawing(a, b):
    if not 0.94 < a[2] / b[2] < 1.06:
        return False
    return sum(abs(x - y) for x, y in zip(a[1], b[1])) < SAME * len(a[1])


def first_of_equals(pictures):
    """Drawing -> its copies in other folders, filed under the first of them."""
    groups, buckets = {}, collections.defaultdict(list)
    for drawing, picture in pictures.items():
        mean = sum(picture[1]) / len(picture[1])
        near = [d for step in (-1, 0, 1) for d in buckets[int(mean / 2) + step]]
        equal = next((d for d in near if same_drawing(pictures[d], picture)), None)
        if equal is None:
            groups[drawing] = []
            buckets[int(mean / 2)].append(drawing)
        else:
            groups[equal].append(drawing)
    return groups


def read_edits(known):
    """edits.csv by drawing: why a drawing is left out, or a better title, keywords ('+' adds) and category."""
    with open(HERE / "edits.csv", encoding="utf-8", newline="") as file:
        edits = {row["drawing"]: row for row in csv.DictReader(file)}
    missing = sorted(set(edits) - set(known))
    if missing:
        sys.exit(f"edits.csv names {len(missing)} drawings that are not in the packages, for example {missing[0]}")
    return edits


def choose(groups, texts, edits):
    """The drawings to keep, with the metadata of their copies joined, and a count of reasons for the others."""
    kept, reasons = {}, collections.Counter()
    for drawing, copies in groups.items():
        data = texts[drawing]
        rule = next((reason for pattern, reason in RULES if re.search(pattern, drawing)), None)
        reason = edits.get(drawing, {}).get("exclude") or rule
        if reason is None and not public_domain(data["license"]):
            reason = "not marked as public domain"
        if reason:
            reasons[reason] += 1
            continue
        name = drawing.rsplit("/", 1)[-1]
        same_name = [texts[copy]["keywords"] for copy in copies if copy.rsplit("/", 1)[-1] == name]
        kept[drawing] = dict(data, keywords=sum(same_name, data["keywords"]))
    return kept, reasons


def image_name(drawing, category, taken):
    """images/<category>/<file name of the package, in plain letters>.webp, made unique."""
    name = re.sub(r"[^a-z0-9]+", "_", drawing.rsplit("/", 1)[-1].lower()).strip("_")
    path, number = f"images/{category}/{name}.webp", 1
    while path in taken:
        number += 1
        path = f"images/{category}/{name}-{number}.webp"
    taken.add(path)
    return path


def rows(kept, edits):
    """(drawing, image, caption, category, author), ordered by image; drawings may have equal captions."""
    taken, result = set(), []
    for drawing, data in kept.items():
        edit = edits.get(drawing, {})
        category = edit.get("category") or drawing.split("/", 1)[0]
        text = caption(drawing, data, edit)
        result.append((drawing, image_name(drawing, category, taken), text, category, data["author"]))
    return sorted(result, key=lambda row: row[1])


def unpack(packages, folder):
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder / "usr/share/openclipart/png", folder / "usr/share/openclipart/svg"


def write(table, pictures):
    shutil.rmtree(HERE / "images", ignore_errors=True)
    with open(HERE / "captions.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["image", "caption", "category", "author"])
        for drawing, image, text, category, name in table:
            path = HERE / image
            path.parent.mkdir(parents=True, exist_ok=True)
            pictures[drawing][0].save(path, quality=QUALITY, method=6, use_sharp_yuv=True)
            writer.writerow([image, text, category, name])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("packages", nargs="+", metavar="DEB", help="openclipart-png and openclipart-svg")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        png, svg = unpack(arguments.packages, pathlib.Path(folder))
        found = [str(p.relative_to(png))[: -len(".png")] for p in png.rglob("*.png")]
        drawings = sorted((d for d in found if d.split("/", 1)[0] in FOLDERS), key=filing_order)
        texts = {drawing: metadata(svg / f"{drawing}.svg") for drawing in drawings}
        drawings = [drawing for drawing in drawings if texts[drawing] is not None]
        pictures = shrink_all(drawings, png)
    unusable = collections.Counter(p for p in pictures.values() if isinstance(p, str))
    pictures = {drawing: p for drawing, p in pictures.items() if not isinstance(p, str)}
    groups = first_of_equals(pictures)
    edits = read_edits(texts)
    kept, reasons = choose(groups, texts, edits)
    table = rows(kept, edits)
    write(table, pictures)
    print(f"{len(drawings)} drawings with metadata; unusable: {dict(unusable)}; {len(groups)} different ones")
    for reason, count in reasons.most_common():
        print(f"  left out {count:4}: {reason}")
    print(f"{len(table)} kept: {dict(collections.Counter(row[3] for row in table).most_common())}")


if __name__ == "__main__":
    main()
