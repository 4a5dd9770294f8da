//! The report page: complete, linked, and harmless regardless of the frame's contents.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::*;
use topicframe::error::{ErrorKind, Result};
use topicframe::prelude::*;
use topicframe::represent::{Aspect, TopicContext, TopicWords};

use crate::corpora::{captions, frame_with_images};
use crate::html::{Element, HOSTILE, assert_harmless, elements};

const ROWS: usize = 60;

/// Three topics that require no embedder: the vector is the row's theme.
fn with_vectors(frame: DataFrame) -> DataFrame {
    let vectors: Vec<f32> = (0..frame.height())
        .flat_map(|row| (0..3).map(move |axis| if row % 3 == axis { 1.0 + row as f32 / 1e4 } else { 0.0 }))
        .collect();
    let lists: Vec<Series> = vectors.chunks(3).map(|vector| Series::new("".into(), vector)).collect();
    let column = Series::new("vector".into(), lists).cast(&DataType::Array(Box::new(DataType::Float32), 3)).unwrap();
    let mut columns = frame.columns().to_vec();
    columns.push(column.into_column());
    DataFrame::new(frame.height(), columns).unwrap()
}

pub(crate) fn model(text: &str) -> TopicModel {
    TopicModel::text(text, StaticEmbedder::builtin())
        .embeddings("vector")
        .reducer(NoReduction)
        .clusterer(KMeans::new(3))
}

/// The words in capitals, as a second description.
#[derive(Debug)]
struct Capitals;

impl Representation for Capitals {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn describe(&self, _: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
        let loud = |words: &Vec<(String, f64)>| words.iter().map(|(word, x)| (word.to_uppercase(), *x)).collect();
        Ok(Aspect::Words(words.iter().map(|(id, words)| (*id, loud(words))).collect()))
    }
}

/// Captions with images; three rows have no text, two images are corrupt.
fn illustrated(folder: &Path) -> FittedTopicModel {
    let frame = frame_with_images(ROWS, folder);
    let images = frame.column("image").unwrap().clone();
    for row in 0..ROWS {
        if row % 3 == 1 && row > 6 {
            // Only three images of the second topic are readable, so all others are tried.
            fs::write(folder.join(format!("{row}.png")), if row == 7 { b"torn".as_slice() } else { b"" }).unwrap();
        }
    }
    let texts: Vec<Option<String>> =
        captions(ROWS).into_iter().enumerate().map(|(row, text)| (row % 20 != 9).then_some(text)).collect();
    let frame = DataFrame::new(ROWS, vec![Column::new("caption".into(), texts), images]).unwrap();
    model("caption")
        .with_images("image")
        .image_folder(folder)
        .representation("Visual_Aspect", VisualRepresentation::new())
        .representation("Capitals", Capitals)
        .fit(&with_vectors(frame))
        .unwrap()
}

fn fitted() -> &'static FittedTopicModel {
    static FITTED: OnceLock<FittedTopicModel> = OnceLock::new();
    FITTED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        illustrated(folder.path())
    })
}

pub(crate) fn page(html: &str) -> Vec<Element> {
    let page = elements(html);
    assert_harmless(&page, 1);
    page
}

pub(crate) fn named<'a>(page: &'a [Element], name: &'a str) -> impl Iterator<Item = &'a Element> {
    page.iter().filter(move |element| element.name == name)
}

pub(crate) fn by_id<'a>(page: &'a [Element], id: &str) -> &'a Element {
    page.iter().find(|element| element.get("id") == id).unwrap_or_else(|| panic!("#{id}"))
}

#[test]
fn every_topic_has_its_section_and_every_link_leads_somewhere() {
    let page = page(fitted().report().to_html().unwrap().as_str());
    let ids: Vec<&str> = page.iter().map(|element| element.get("id")).filter(|id| !id.is_empty()).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "ids are unique");
    for link in named(&page, "a") {
        assert!(unique.contains(link.get("href").trim_start_matches('#')), "{}", link.get("href"));
    }
    for id in fitted().topic_ids() {
        let section = by_id(&page, &if id < 0 { "outliers".to_owned() } else { format!("topic-{id}") });
        for (word, _) in fitted().get_topic(id).unwrap().iter().take(10).filter(|(word, _)| !word.is_empty()) {
            assert!(section.text.contains(word), "topic {id}: {word}");
        }
        for document in fitted().get_representative_docs(id).unwrap() {
            assert!(section.text.contains(&document), "topic {id}: {document}");
        }
    }
    let rows = named(&page, "tr").count();
    assert_eq!(rows, 1 + fitted().topic_ids().len(), "a header and a row for each topic");
    let outliers = page.iter().find(|element| element.has_class("outliers")).unwrap();
    assert!(outliers.name == "details" && outliers.text.contains("in no topic"), "outliers are collapsed");
}

#[test]
fn words_carry_their_weights_and_bars() {
    let page = page(fitted().report().to_html().unwrap().as_str());
    let words = fitted().get_topic(0).unwrap();
    let items: Vec<&Element> = named(&page, "li").filter(|item| item.get("style").starts_with("--w:")).collect();
    assert_eq!(items[0].get("style"), "--w:100.0%");
    assert!(items[0].text.starts_with(&words[0].0));
    let second: f64 = items[1].get("style").trim_start_matches("--w:").trim_end_matches('%').parse().unwrap();
    assert!((second - 100.0 * words[1].1 / words[0].1).abs() < 0.06, "{second}");
    assert!(by_id(&page, "topic-0").text.contains(&words[0].0.to_uppercase()), "the second description is present");
}

#[test]
fn pictures_stand_with_their_captions_and_skipped_ones_are_counted() {
    let page = page(fitted().report().to_html().unwrap().as_str());
    let Aspect::Images(gallery) = fitted().topic_aspect("Visual_Aspect").unwrap() else { panic!("pictures") };
    let expected: usize = fitted().topic_ids().iter().map(|&id| gallery.pictures(id).len()).sum();
    assert_eq!(named(&page, "figure").count(), expected);
    for picture in fitted().topic_ids().iter().flat_map(|&id| gallery.pictures(id)) {
        let caption = fitted().text(picture.row).unwrap_or_else(|| picture.path.clone().unwrap());
        assert!(named(&page, "img").any(|image| caption.starts_with(image.get("alt")) && !image.get("alt").is_empty()));
        assert!(page.iter().any(|element| element.get("title") == picture.path.as_deref().unwrap()));
    }
    for image in named(&page, "img") {
        let bytes = STANDARD.decode(image.get("src").split_once(',').unwrap().1).unwrap();
        assert!(image::load_from_memory(&bytes).is_ok());
    }
    let skipped = gallery.skipped().len();
    assert!(skipped > 0);
    let note = format!("{skipped} images could not be read");
    assert!(named(&page, "p").any(|p| p.text.contains(&note)), "{note}");
}

#[test]
fn the_summary_says_what_was_fitted() {
    let page = page(fitted().report().to_html().unwrap().as_str());
    let summary = fitted().summary();
    let text = &named(&page, "main").next().unwrap().text;
    for expected in [
        format!("{} topics in {} rows of caption, illustrated from image.", summary.topics, summary.rows),
        format!("In a topic{}", summary.clustered),
        format!("Outliers{}", summary.outliers),
        format!("With an image{}", summary.images.unwrap()),
        format!("{} rows had no text", summary.blank),
        summary.embedder.clone(),
        summary.reducer.clone(),
        "ClusteringKMeans ".to_owned(),
        format!("Seed{}", summary.seed),
    ] {
        assert!(text.contains(&expected), "{expected} in {text}");
    }
}

#[test]
fn a_model_without_pictures_has_a_page_without_them() {
    let frame = with_vectors(df!("caption" => captions(ROWS)).unwrap());
    let topics = model("caption").fit(&frame).unwrap();
    let page = page(&topics.report().to_html().unwrap());
    assert_eq!(named(&page, "img").count() + named(&page, "figure").count(), 0);
    assert!(!named(&page, "main").next().unwrap().text.contains("icture"));
    assert!(!page.iter().any(|element| element.get("id") == "outliers"), "no outliers section if there are none");
    let length = topics.report().map(false).heatmap(false).to_html().unwrap().len();
    assert!(length < 60_000, "{length}");
}

#[test]
fn hostile_texts_and_names_do_nothing() {
    for (text, image) in [(HOSTILE[0], HOSTILE[1]), (HOSTILE[3], HOSTILE[4]), (HOSTILE[7], HOSTILE[8])] {
        let folder = tempfile::tempdir().unwrap();
        let frame = frame_with_images(ROWS, folder.path());
        let files = frame.column("image").unwrap().clone().with_name(image.into());
        let texts: Vec<String> = captions(ROWS)
            .iter()
            .enumerate()
            .map(|(row, caption)| format!("{} {caption} {}", HOSTILE[row % 10], HOSTILE[(row + 3) % 10]))
            .collect();
        let frame = DataFrame::new(ROWS, vec![Column::new(text.into(), texts), files]).unwrap();
        let topics = model(text)
            .with_images(image)
            .image_folder(folder.path())
            .representation("<b>bold</b>", VisualRepresentation::new())
            .representation("\"><script>", Capitals)
            .fit(&with_vectors(frame))
            .unwrap();
        let html = Report::new(&topics).title(HOSTILE[4]).to_html().unwrap().into_string();
        let page = page(&html);
        assert_eq!(named(&page, "h1").next().unwrap().text, HOSTILE[4]);
        assert_eq!(named(&page, "title").next().unwrap().text, HOSTILE[4]);
        assert!(!html.contains('\u{202E}') && !html.contains('\0'));
        assert!(
            named(&page, "blockquote").any(|quote| quote.text.contains("alert(1)")),
            "the texts are present as text"
        );
    }
}

#[test]
fn the_policy_allows_the_one_script_and_nothing_else() {
    let page = page(fitted().report().to_html().unwrap().as_str());
    let policy = named(&page, "meta").find(|meta| meta.get("http-equiv") == "Content-Security-Policy").unwrap();
    let rules: BTreeSet<&str> = policy.get("content").split("; ").collect();
    let script = &named(&page, "script").next().unwrap().text;
    let hash = format!("script-src 'sha256-{}'", STANDARD.encode(sha256(script.as_bytes())));
    let expected = [
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        hash.as_str(),
        "base-uri 'none'",
        "form-action 'none'",
    ];
    assert_eq!(rules, BTreeSet::from(expected), "a change to filter.js requires a new hash");
}

#[test]
fn settings_limit_the_page() {
    let html = Report::new(fitted()).title("Ours").max_topics(1).max_pictures(2).to_html().unwrap().into_string();
    let page = page(&html);
    let sections: Vec<&str> = named(&page, "article").map(|section| section.get("id")).collect();
    assert_eq!(sections, ["topic-0", "outliers"]);
    assert!(named(&page, "p").any(|p| p.text.contains("the 1 largest topic; 2 smaller topics not shown")));
    assert!(named(&page, "figure").count() <= 4);
    let none = Report::new(fitted()).max_pictures(0).to_html().unwrap().into_string();
    assert_eq!(named(&elements(&none), "img").count(), 0);
}

#[test]
fn bad_settings_and_places_are_errors() {
    let error = Report::new(fitted()).title(" \n").to_html().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(format!("{error:#}").contains("title"), "{error:#}");
    let error = Report::new(fitted()).max_topics(0).check().unwrap_err();
    assert!(format!("{error:#}").contains("max_topics = 0"), "{error:#}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/topics.html");
    let error = fitted().report().write(&path).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Io, Some(path.as_path())));
    let path = folder.path().join("topics.html");
    fitted().report().write(&path).unwrap();
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        fitted().report().to_html().unwrap().into_string(),
        "the same model, the same page"
    );
}

#[test]
fn a_notebook_shows_the_topic_table_with_pictures() {
    let page = elements(&fitted().to_html());
    assert_harmless(&page, 0);
    assert!(page[0].text.contains("3 topics"), "{}", page[0].text);
    let Aspect::Images(gallery) = fitted().topic_aspect("Visual_Aspect").unwrap() else { panic!("pictures") };
    let illustrated = fitted().topic_ids().iter().filter(|&&id| !gallery.pictures(id).is_empty()).count();
    assert_eq!(named(&page, "img").count(), illustrated, "one collage per topic");
}

/// SHA-256 (FIPS 180-4), to check the page's policy without another dependency.
fn sha256(message: &[u8]) -> [u8; 32] {
    let primes = || (2_u64..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    let fraction = |root: f64| (root.fract() * 4_294_967_296.0) as u32;
    let k: Vec<u32> = primes().take(64).map(cube_root_fraction).collect();
    let mut hash: Vec<u32> = primes().take(8).map(|prime| fraction((prime as f64).sqrt())).collect();
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() - message.len() < 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(8 * message.len() as u64).to_be_bytes());
    for block in padded.chunks(64) {
        let mut w: Vec<u32> = block.chunks(4).map(|four| u32::from_be_bytes(four.try_into().unwrap())).collect();
        for i in 16..64 {
            let (a, b) = (w[i - 15], w[i - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
        }
        let mut v = hash.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let t1 = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(k[i]).wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let t2 = s0.wrapping_add((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(t2);
        }
        hash.iter_mut().zip(v).for_each(|(h, v)| *h = h.wrapping_add(v));
    }
    let bytes: Vec<u8> = hash.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.try_into().unwrap()
}

/// The first 32 bits of the fractional part of a cube root, in integer arithmetic: doubles are not precise enough for
/// all 64 of them.
fn cube_root_fraction(n: u64) -> u32 {
    let cube = u128::from(n) << 96;
    let mut root = 0_u128;
    for bit in (0..=36).rev() {
        let next = root | (1 << bit);
        if next * next * next <= cube {
            root = next;
        }
    }
    root as u32
}

#[test]
fn the_hash_of_this_test_is_sha_256() {
    let hex = |message: &str| sha256(message.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hex(&"a".repeat(56)), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
}
