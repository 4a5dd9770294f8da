//! The static embedder compared with Hugging Face's tokenizers, numpy and Model2Vec, and corrupted folders.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView1};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokenizers::Tokenizer;
use topicframe::embed::{StaticEmbedder, TextEmbedder};
use topicframe::error::{Error, ErrorKind, Stage};
use topicframe::progress::Progress;

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/static_embedder")).join(name)
}

fn read_json(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap()
}

fn embed(embedder: &StaticEmbedder, texts: &[&str]) -> Array2<f32> {
    embedder.embed_texts(texts, &Progress::silent()).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn assert_close(row: ArrayView1<'_, f32>, expected: &[f32], tolerance: f32, of: &str) {
    assert_eq!(row.len(), expected.len());
    for (got, want) in row.iter().zip(expected) {
        assert!((got - want).abs() <= tolerance, "{of:?}: {got} instead of {want}");
    }
}

#[test]
fn builtin_vectors_and_tokens_equal_the_reference() {
    let cases = read_json("builtin.json");
    let embedder = StaticEmbedder::builtin();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 40);
    let texts: Vec<&str> = cases.iter().map(|case| case["text"].as_str().unwrap()).collect();
    let rows = embed(&embedder, &texts);
    for ((case, text), row) in cases.iter().zip(&texts).zip(rows.outer_iter()) {
        let expected: Vec<&str> = case["tokens"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
        assert_eq!(embedder.tokenize(text).unwrap(), expected, "{text:?}");
        assert_close(row, &floats(&case["vector"]), 2e-6, text);
    }
}

/// Hugging Face's own tokenizer with the same vocabulary; unknown words have the id after the last.
fn reference_tokenizer() -> (Tokenizer, u32) {
    let vocabulary = concat!(env!("CARGO_MANIFEST_DIR"), "/src/embed/builtin/vocabulary.txt");
    let vocabulary = fs::read_to_string(vocabulary).unwrap();
    let mut ids: Map<String, Value> = vocabulary.lines().map(str::to_owned).zip((0_u32..).map(Value::from)).collect();
    let unknown = ids.len() as u32;
    ids.insert("[UNK]".to_owned(), unknown.into());
    let description = json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": ids
        }
    });
    (Tokenizer::from_bytes(description.to_string()).unwrap(), unknown)
}

fn reference_tokens((tokenizer, unknown): &(Tokenizer, u32), text: &str) -> Vec<String> {
    let encoding = tokenizer.encode_fast(text, false).unwrap();
    let known = encoding.get_ids().iter().filter(|&id| id != unknown);
    known.map(|&id| tokenizer.id_to_token(id).unwrap()).collect()
}

/// A small generator (Knuth's MMIX constants), so that the texts are the same on every platform.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn every_character_is_cut_as_by_hugging_face() {
    let reference = reference_tokenizer();
    let embedder = StaticEmbedder::builtin();
    let characters: Vec<char> = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
    for run in characters.chunks(64).filter(|run| (run[0] as u32) < 0x3_2000 || (run[0] as u32) >= 0xE_0000) {
        if run[0] as u32 > 0xF_0000 && !(run[0] as u32).is_multiple_of(0x4000) {
            continue; // Private use: a sample is sufficient.
        }
        // Between letters, to show which characters join, split or disappear.
        let text: String = run.iter().flat_map(|&character| ['c', 'a', character, 't', ' ']).collect();
        assert_eq!(embedder.tokenize(&text).unwrap(), reference_tokens(&reference, &text), "{:x}", run[0] as u32);
    }
}

#[test]
fn random_texts_are_cut_as_by_hugging_face() {
    let reference = reference_tokenizer();
    let embedder = StaticEmbedder::builtin();
    let mut random = Random(7);
    let alphabet: Vec<char> =
        "aeinorstAEdhl ..,-'#[]\t\n\u{0}\u{b}éÅñ\u{301}\u{316}\u{345}\u{302e}\u{302f}\u{1d165}\u{1d16e}ßİſ京東한्กअا\u{200d}\u{a0}\u{3000}。“😀Ⅷ½"
            .chars()
            .collect();
    for _ in 0..4000 {
        let length = random.below(60);
        let text: String = (0..length).map(|_| alphabet[random.below(alphabet.len())]).collect();
        assert_eq!(embedder.tokenize(&text).unwrap(), reference_tokens(&reference, &text), "{text:?}");
    }
}

#[test]
fn real_words_of_all_lengths_are_cut_as_by_hugging_face() {
    let reference = reference_tokenizer();
    let embedder = StaticEmbedder::builtin();
    let pieces: Vec<String> = {
        let (tokenizer, unknown) = &reference;
        (0..*unknown).map(|id| tokenizer.id_to_token(id).unwrap().replace("##", "")).collect()
    };
    let mut random = Random(11);
    for _ in 0..4000 {
        let text: String = (0..1 + random.below(30))
            .map(|_| format!("{}{}", pieces[random.below(pieces.len())], ["", "", " "][random.below(3)]))
            .collect();
        assert_eq!(embedder.tokenize(&text).unwrap(), reference_tokens(&reference, &text), "{text:?}");
    }
}

#[test]
fn texts_without_a_known_token_give_zeros_and_all_others_length_one() {
    let embedder = StaticEmbedder::builtin();
    let too_long = "q".repeat(101);
    let rows = embed(&embedder, &["", "  \n\t", "\u{200b}\u{0}", &too_long, "a cat", "."]);
    for row in rows.outer_iter().take(4) {
        assert!(row.iter().all(|&value| value == 0.0));
    }
    for row in rows.outer_iter().skip(4) {
        assert!((row.dot(&row) - 1.0).abs() < 1e-5);
    }
    assert_eq!(embed(&embedder, &[]).dim(), (0, embedder.dimensions()));
}

#[test]
fn similar_texts_are_closer_than_others() {
    let triples = [
        ("a red motorcycle", "a fast motorbike on the road", "a bowl of soup"),
        ("doctors treat patients in the hospital", "a nurse gives medicine to the sick", "the rocket reached orbit"),
        ("the hockey team won in overtime", "two players on the ice rink", "the judge sentenced the thief"),
        ("encryption protects secret messages", "cryptography and private keys", "a herd of grazing cows"),
        ("children playing in the snow", "kids build a snowman in winter", "quarterly tax return form"),
        ("church and prayer", "believers worship god", "engine oil and brakes"),
    ];
    let embedder = StaticEmbedder::builtin();
    for (anchor, near, far) in triples {
        let rows = embed(&embedder, &[anchor, near, far]);
        let (near_cosine, far_cosine) = (rows.row(0).dot(&rows.row(1)), rows.row(0).dot(&rows.row(2)));
        assert!(near_cosine > far_cosine + 0.1, "{anchor}: {near} {near_cosine}, {far} {far_cosine}");
    }
}

#[test]
fn rows_keep_the_order_and_do_not_depend_on_threads_or_neighbors() {
    let embedder = StaticEmbedder::builtin();
    let texts: Vec<String> = (0..1500).map(|at| format!("Text number {at} about café {} boats", at * 7 % 31)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| embed(&embedder, &texts))
    };
    let rows = on(1);
    assert_eq!(rows, on(2));
    assert_eq!(rows, on(5));
    for at in [0, 127, 128, 1499] {
        assert_eq!(rows.row(at), embed(&embedder, &texts[at..=at]).row(0));
    }
    let reversed: Vec<&str> = texts.iter().rev().copied().collect();
    assert_eq!(embed(&embedder, &reversed).row(0), rows.row(1499));
}

#[test]
fn builtin_is_shared_and_says_what_it_is() {
    let embedder = StaticEmbedder::builtin();
    assert!(format!("{embedder:?}").contains("builtin"));
    assert_eq!(embedder.dimensions(), embed(&embedder, &["a"]).ncols());
    assert_eq!(embed(&embedder, &["cats"]), embed(&embedder.clone(), &["cats"]));
}

#[test]
fn model2vec_folders_give_model2vec_vectors() {
    let expected = read_json("model2vec.json");
    let texts: Vec<&str> = expected["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let folders = expected["rows"].as_object().unwrap();
    assert_eq!(folders.len(), 6);
    for (name, rows) in folders {
        // Model2Vec averages 16-bit vectors in 16-bit precision.
        let tolerance = if name == "f16" { 2e-3 } else { 2e-6 };
        let embedder = StaticEmbedder::from_dir(fixture("model2vec").join(name)).unwrap();
        let got = embed(&embedder, &texts);
        for ((row, want), text) in got.outer_iter().zip(rows.as_array().unwrap()).zip(&texts) {
            assert_close(row, &floats(want), tolerance, &format!("{name}: {text}"));
        }
    }
}

#[test]
fn folder_tokens_leave_out_unknown_ones_and_stop_at_the_limit() {
    let embedder = |name: &str| StaticEmbedder::from_dir(fixture("model2vec").join(name)).unwrap();
    assert_eq!(embedder("f32").tokenize("Cats, zebra 東").unwrap(), ["cat", "##s", ",", "東"]);
    // At most 5 tokens, and 15 characters: 3, the median token length, times 5.
    let short = embedder("word_level_short");
    assert_eq!(short.tokenize("of a of a of a of a").unwrap(), ["of", "a", "of", "a", "of"]);
    assert_eq!(short.tokenize("the cat xyz sat on the mat").unwrap(), ["the", "cat", "sat"]);
}

#[test]
fn folder_without_normalization_still_gives_length_one() {
    let folder = copy_of("f32");
    fs::write(folder.path().join("config.json"), r#"{"normalize": false}"#).unwrap();
    let embedder = StaticEmbedder::from_dir(folder.path()).unwrap();
    let row = embed(&embedder, &["the cat"]);
    assert!((row.row(0).dot(&row.row(0)) - 1.0).abs() < 1e-5);
}

fn copy_of(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture("model2vec").join(name)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

/// The error for a copy of the folder `f32` after `damage`; it must be of kind `Model`, name the file and contain
/// `says`.
fn assert_refused(file: &str, says: &str, damage: impl FnOnce(&Path)) {
    let folder = copy_of("f32");
    damage(&folder.path().join(file));
    let error: Error = StaticEmbedder::from_dir(folder.path()).expect_err(says);
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Model, Stage::Embed));
    assert_eq!(error.path(), Some(folder.path().join(file).as_path()));
    let message = format!("{error:#}");
    assert!(message.contains(says), "{message:?} does not say {says:?}");
}

/// A safetensors file with the given tensors: name, type, shape, bytes.
fn safetensors(tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let start = data.len();
        data.extend_from_slice(bytes);
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
        header.insert((*name).to_owned(), entry);
    }
    with_header(&Value::Object(header).to_string(), &data)
}

fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

fn f32_bytes(count: usize, value: f32) -> Vec<u8> {
    value.to_le_bytes().repeat(count)
}

/// The number of tokens in the tiny vocabulary.
const TOKENS: usize = 34;

#[test]
fn missing_folders_and_files_are_named() {
    let error = StaticEmbedder::from_dir("no/such/model").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(
        format!("{error:#}").contains("no such folder") && format!("{error:#}").contains("no/such/model"),
        "{error:#}"
    );
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        assert_refused(file, "the file is missing", |path| fs::remove_file(path).unwrap());
        assert_refused(file, "a folder, not a file", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        });
    }
}

#[test]
fn files_too_large_are_refused_unread() {
    for (file, size) in [("model.safetensors", 5 << 30), ("tokenizer.json", 1 << 30), ("config.json", 2 << 20)] {
        assert_refused(file, "too large", |path| fs::File::create(path).unwrap().set_len(size).unwrap());
    }
}

#[test]
fn damaged_tensor_files_are_refused() {
    let refused = |says: &str, bytes: Vec<u8>| {
        assert_refused("model.safetensors", says, |path| fs::write(path, bytes).unwrap());
    };
    let whole = fs::read(fixture("model2vec/f32/model.safetensors")).unwrap();
    refused("the file is empty", Vec::new());
    for length in [7, 8, 40, whole.len() - 1] {
        refused("not a complete safetensors", whole[..length].to_vec());
    }
    refused("not a complete safetensors", [&u64::MAX.to_le_bytes()[..], &whole[8..]].concat());
    refused("not a complete safetensors", with_header("not json at all", &[]));
    let lies = |shape: &str, offsets: &str| {
        let header = format!(r#"{{"embeddings":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#);
        with_header(&header, &f32_bytes(4, 1.0))
    };
    refused("not a complete safetensors", lies("[34,1000000]", "[0,136000000]"));
    refused("not a complete safetensors", lies("[2,2]", "[16,0]"));
    refused("not a complete safetensors", lies("[4294967296,4294967296]", "[0,16]"));
    refused("no tensor `embeddings`", safetensors(&[("vectors", "F32", &[TOKENS, 2], f32_bytes(TOKENS * 2, 1.0))]));
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let refused = |says: &str, tensors: &[(&str, &str, &[usize], Vec<u8>)]| {
        assert_refused("model.safetensors", says, |path| fs::write(path, safetensors(tensors)).unwrap());
    };
    let embeddings = || ("embeddings", "F32", [TOKENS, 2], f32_bytes(TOKENS * 2, 1.0));
    refused("not rows x dimensions", &[("embeddings", "F32", &[TOKENS], f32_bytes(TOKENS, 1.0))]);
    refused("unusable dimensions", &[("embeddings", "F32", &[TOKENS, 0], vec![])]);
    refused("has 33 rows, but tokenizer.json has 34 tokens", &[("embeddings", "F32", &[33, 2], f32_bytes(66, 1.0))]);
    refused("has the type I64", &[("embeddings", "I64", &[TOKENS, 1], vec![0; TOKENS * 8])]);
    refused(
        "contains the unusable value NaN at index 0",
        &[("embeddings", "F32", &[TOKENS, 2], f32_bytes(TOKENS * 2, f32::NAN))],
    );
    refused("the unusable value", &[("embeddings", "F32", &[TOKENS, 2], f32_bytes(TOKENS * 2, 3e38))]);

    let (name, dtype, shape, data) = embeddings();
    let with = |other: (&'static str, &'static str, Vec<usize>, Vec<u8>), says: &str| {
        let (other_name, other_dtype, other_shape, other_data) = &other;
        refused(
            says,
            &[(name, dtype, &shape, data.clone()), (other_name, other_dtype, other_shape, other_data.clone())],
        );
    };
    with(("weights", "F32", vec![3], f32_bytes(3, 1.0)), "`weights` has the shape [3]");
    with(
        ("weights", "F32", vec![TOKENS], f32_bytes(TOKENS, f32::INFINITY)),
        "`weights` contains the unusable value inf",
    );
    with(("mapping", "I64", vec![3], vec![0; 24]), "`mapping` has the shape [3]");
    with(("mapping", "F32", vec![TOKENS], f32_bytes(TOKENS, 0.0)), "not integers");
    with(("mapping", "I64", vec![TOKENS], 34_i64.to_le_bytes().repeat(TOKENS)), "maps token 0 to row 34");
    with(("mapping", "I64", vec![TOKENS], (-1_i64).to_le_bytes().repeat(TOKENS)), "to row -1");
    with(("mapping", "I32", vec![TOKENS], i32::MAX.to_le_bytes().repeat(TOKENS)), "to row 2147483647");
}

#[test]
fn damaged_tokenizers_are_refused() {
    let refused =
        |says: &str, text: &str| assert_refused("tokenizer.json", says, |path| fs::write(path, text).unwrap());
    let whole = fs::read_to_string(fixture("model2vec/f32/tokenizer.json")).unwrap();
    refused("not JSON", &whole[..whole.len() / 2]);
    refused("not JSON", "\u{0}\u{1}");
    refused("not describe a valid tokenizer", "{}");
    refused("not describe a valid tokenizer", "[1, 2]");
    refused("not JSON", &"[".repeat(100_000));
    let mut changed: Value = serde_json::from_str(&whole).unwrap();
    changed["model"]["vocab"]["cat"] = json!(4_000_000_000_u32);
    refused("ids go up to 4000000000", &changed.to_string());
    changed["model"]["vocab"] = json!({});
    refused("vocabulary is empty", &changed.to_string());
    let mut other: Value = serde_json::from_str(&whole).unwrap();
    other["model"]["vocab"] = json!({"[UNK]": 0, "cat": 1});
    let folder = copy_of("f32");
    fs::write(folder.path().join("tokenizer.json"), other.to_string()).unwrap();
    let error = StaticEmbedder::from_dir(folder.path()).unwrap_err();
    assert!(format!("{error:#}").contains("34 rows, but tokenizer.json has 2 tokens"), "{error:#}");
}

#[test]
fn a_tokenizer_that_fails_on_a_text_is_an_error_not_a_panic() {
    let whole = fs::read_to_string(fixture("model2vec/f32/tokenizer.json")).unwrap();
    let mut changed: Value = serde_json::from_str(&whole).unwrap();
    changed["model"]["unk_token"] = json!("[GONE]");
    let folder = copy_of("f32");
    fs::write(folder.path().join("tokenizer.json"), changed.to_string()).unwrap();
    let embedder = StaticEmbedder::from_dir(folder.path()).unwrap();
    assert!(embedder.embed_texts(&["the cat"], &Progress::silent()).is_ok());
    let error = embedder.embed_texts(&["the cat", "zebra"], &Progress::silent()).unwrap_err();
    assert_eq!(error.stage(), Stage::Embed);
    assert!(format!("{error:#}").contains("cannot be tokenized"), "{error:#}");
}

#[test]
fn damaged_configurations_are_refused() {
    let refused = |says: &str, text: &str| assert_refused("config.json", says, |path| fs::write(path, text).unwrap());
    refused("not JSON", "normalize: true");
    refused("not a JSON object", "[true]");
    for length in ["0", "-1", "2.5", "\"many\""] {
        refused("is not a number of tokens", &format!(r#"{{"max_length": {length}}}"#));
    }
}
