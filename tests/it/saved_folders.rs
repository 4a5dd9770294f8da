//! Folders of saved models that are damaged, or made to do harm: an error that names the file, never a panic.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use topicframe::prelude::*;

use crate::saved::{contents, small};

struct Folder {
    _root: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("model");
        let topics = small();
        topics.layout_2d().unwrap();
        topics.save(&path).unwrap();
        Folder { _root: root, path }
    }

    fn file(&self, part: &str) -> PathBuf {
        let names = contents(&self.path).into_keys();
        let name = names.into_iter().find(|name| name.starts_with(&format!("{part}-"))).unwrap();
        self.path.join(name)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path.join("model.json")).unwrap()).unwrap()
    }

    fn write_json(&self, json: &Value) {
        fs::write(self.path.join("model.json"), json.to_string()).unwrap();
    }

    /// Replaces the content of a part, with the right hash and name, as an attacker would.
    fn replace(&self, part: &str, content: &[u8]) -> PathBuf {
        let before = self.file(part);
        let hash: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let extension = before.extension().unwrap().to_str().unwrap();
        let name = format!("{part}-{}.{extension}", &hash[..16]);
        fs::remove_file(&before).unwrap();
        fs::write(self.path.join(&name), content).unwrap();
        let mut json = self.json();
        let files = json["files"].as_array_mut().unwrap();
        let file = files.iter_mut().find(|file| file["part"] == part).unwrap();
        *file = json!({ "part": part, "name": name, "bytes": content.len(), "sha256": hash });
        self.write_json(&json);
        self.path.join(name)
    }

    /// The error names this file.
    fn refused(&self, file: &Path, what: &str) -> Error {
        let error = FittedTopicModel::load(&self.path).expect_err(what);
        assert_eq!(error.path(), Some(file), "{what}: {error:#}");
        error
    }
}

#[test]
fn saved_folders_with_missing_or_changed_files_are_refused() {
    for part in ["topics", "terms", "vectors", "clusterer", "reducer", "documents"] {
        let folder = Folder::new();
        let file = folder.file(part);
        let content = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        folder.refused(&file, "missing");
        fs::write(&file, &content[..content.len() / 2]).unwrap();
        folder.refused(&file, "truncated");
        for place in (0..content.len()).step_by(content.len() / 7 + 1) {
            let mut changed = content.clone();
            changed[place] ^= 0x10;
            fs::write(&file, &changed).unwrap();
            folder.refused(&file, "a bit");
        }
        fs::write(&file, &content).unwrap();
        FittedTopicModel::load(&folder.path).unwrap();
    }
    let nothing = tempfile::tempdir().unwrap();
    let error = FittedTopicModel::load(nothing.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(FittedTopicModel::load(nothing.path().join("nowhere")).is_err());
}

#[test]
fn saved_folders_with_damaged_contents_never_panic() {
    // With hashes that fit: the content itself is judged. A changed number may make another, valid model.
    for part in ["topics", "terms", "vectors", "clusterer", "reducer", "documents"] {
        let folder = Folder::new();
        let content = fs::read(folder.file(part)).unwrap();
        let mut state = 7_u64;
        for _ in 0..60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut changed = content.clone();
            let place = (state >> 20) as usize % changed.len();
            match state >> 62 {
                0 => changed.truncate(place),
                1 => changed[place] = 0xff,
                2 => changed[place] ^= 1 << (state >> 56 & 7),
                _ => {
                    let end = (place + 8).min(changed.len());
                    changed[place..end].fill(0xff);
                }
            }
            let file = folder.replace(part, &changed);
            match FittedTopicModel::load(&folder.path) {
                Err(error) => {
                    let path = error.path().map(Path::to_path_buf);
                    assert!(path == Some(file) || path == Some(folder.path.join("model.json")), "{part}: {error:#}");
                }
                Ok(topics) => use_all(&topics),
            }
        }
    }
}

/// Whatever a model says, it does not panic.
fn use_all(topics: &FittedTopicModel) {
    let new = df!("caption" => ["a cat"], "v" => [Series::new("".into(), [1.0_f32, 0.0, 1.0])]).unwrap();
    let _ = topics.transform(&new);
    let _ = (topics.get_topic_info(), topics.get_document_info_with_runners_up(), topics.topic_quality());
    let _ = (topics.merge_topics(&[&[0, 1]]), topics.with_outliers(0.3), topics.with_outliers(Outliers::None));
    let _ = (topics.report().to_html(), topics.layers(), topics.reduce_topics(1));
    let _ = (topics.layout_2d_of(&new), topics.visualize_documents().svg(), topics.visualize_topics().svg());
}

#[test]
fn saved_folders_with_wrong_headers_are_refused() {
    let tensor = |offsets: [u64; 2], shape: Value| json!({ "dtype": "F32", "shape": shape, "data_offsets": offsets });
    let headers = [
        json!({ "a": tensor([0, 8], json!([2])), "b": tensor([4, 12], json!([2])) }),
        json!({ "a": tensor([0, 4], json!([u64::MAX, u64::MAX])) }),
        json!({ "a": tensor([u64::MAX - 3, u64::MAX], json!([1])) }),
        json!({ "a": tensor([8, 0], json!([2])) }),
        json!({ "a": { "dtype": "BF16", "shape": [4], "data_offsets": [0, 8] } }),
        json!([1, 2]),
    ];
    for header in headers {
        let folder = Folder::new();
        let header = header.to_string().into_bytes();
        let mut content = (header.len() as u64).to_le_bytes().to_vec();
        content.extend(header);
        content.extend([0; 12]);
        let file = folder.replace("clusterer", &content);
        folder.refused(&file, "a wrong header");
    }
    for length in [u64::MAX, 1 << 40, 0] {
        let folder = Folder::new();
        let mut content = length.to_le_bytes().to_vec();
        content.extend(b"{}");
        let file = folder.replace("vectors", &content);
        folder.refused(&file, "a wrong length");
    }
}

/// Puts `value` into an array of a part.
fn with_value(folder: &Folder, part: &str, name: &str, value: &[u8]) -> PathBuf {
    let mut content = fs::read(folder.file(part)).unwrap();
    let length = u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&content[8..8 + length]).unwrap();
    let start = 8 + length + header[name]["data_offsets"][0].as_u64().unwrap() as usize;
    content[start..start + value.len()].copy_from_slice(value);
    folder.replace(part, &content)
}

#[test]
fn saved_folders_with_numbers_out_of_range_are_refused() {
    let nan = f32::NAN.to_le_bytes();
    let large = u64::MAX.to_le_bytes();
    let cases: [(&str, &str, &[u8]); 17] = [
        ("clusterer", "centers", &nan),
        ("clusterer", "labels", &(-7_i32).to_le_bytes()),
        ("vectors", "clustered", &nan),
        ("topics", "assignment.topics", &99_i32.to_le_bytes()),
        ("topics", "assignment.probabilities", &f64::NAN.to_le_bytes()),
        ("topics", "assignment.probabilities", &2.0_f64.to_le_bytes()),
        // A topic that does not exist, and one twice.
        ("topics", "centroids.topics", &7_i32.to_le_bytes()),
        ("topics", "centroids.topics", &[0; 8]),
        ("topics", "rows", &large),
        ("topics", "known.rows", &u32::MAX.to_le_bytes()),
        ("topics", "description.representatives.rows", &large),
        ("topics", "description.words.words.ends", &large),
        ("terms", "documents", &large),
        ("terms", "counts_of_documents", &[0xff; 8]),
        ("layout", "points", &nan),
        ("layout", "points", &f32::INFINITY.to_le_bytes()),
        ("layout", "mean_distance", &(-1.0_f32).to_le_bytes()),
    ];
    for (part, name, value) in cases {
        let folder = Folder::new();
        let file = with_value(&folder, part, name, value);
        folder.refused(&file, name);
    }
}

#[test]
fn saved_folders_with_a_wrong_list_are_refused() {
    let change: [fn(&mut Value); 9] = [
        |json| json["format"] = json!("another"),
        |json| json["format_version"] = json!(2),
        |json| json["format_version"] = json!(null),
        |json| json["files"][0]["name"] = json!("../../etc/passwd"),
        |json| json["files"][0]["name"] = json!("topics-0123456789abcdef.safetensors"),
        |json| {
            let first = json["files"][0].clone();
            json["files"].as_array_mut().unwrap().push(first);
        },
        |json| json["parts"] = json!({}),
        |json| json["model"] = json!({ "rows": -1 }),
        |json| json["model"]["settings"]["clusterer"]["kind"] = json!("unheard of"),
    ];
    for (number, change) in change.into_iter().enumerate() {
        let folder = Folder::new();
        let mut json = folder.json();
        change(&mut json);
        folder.write_json(&json);
        let error = folder.refused(&folder.path.join("model.json"), &format!("change {number}"));
        if number == 1 {
            assert!(error.to_string().contains("format version 2"), "{error}");
        }
    }
    let folder = Folder::new();
    for text in ["", "{", &"[".repeat(100_000), &format!("{{\"format\":{}", "{\"a\":".repeat(50_000))] {
        fs::write(folder.path.join("model.json"), text).unwrap();
        folder.refused(&folder.path.join("model.json"), "JSON");
    }
}

#[cfg(unix)]
#[test]
fn saved_folders_with_links_are_refused() {
    let folder = Folder::new();
    let file = folder.file("vectors");
    let elsewhere = folder.path.with_file_name("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let error = folder.refused(&file, "a link");
    assert!(format!("{error:#}").contains("links are not followed"), "{error:#}");
    fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    folder.refused(&file, "a folder");
}

#[test]
fn saved_folders_of_other_programs_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.json"), "{\"layers\": []}").unwrap();
    fs::write(folder.path().join("README.md"), "mine").unwrap();
    let before = contents(folder.path());
    assert!(small().save(folder.path()).is_err());
    assert!(contents(folder.path()) == before);
    fs::remove_file(folder.path().join("model.json")).unwrap();
    small().save(folder.path()).unwrap();
    assert_eq!(contents(folder.path())["README.md"], b"mine");
}

#[cfg(unix)]
#[test]
fn saved_folders_that_cannot_be_written_stay_as_they_are() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let before = contents(&folder.path);
    // A folder in the way of a file of the new model.
    let other = small().reduce_topics(1).unwrap();
    let copy = folder.path.with_file_name("copy");
    other.save(&copy).unwrap();
    let name = contents(&copy).into_keys().find(|name| name.starts_with("terms-")).unwrap();
    let in_the_way = folder.path.join(&name);
    if !in_the_way.exists() {
        fs::create_dir(&in_the_way).unwrap();
        fs::write(in_the_way.join("file"), "").unwrap();
        let error = other.save(&folder.path).unwrap_err();
        assert!(error.to_string().contains("unchanged"), "{error}");
        fs::remove_dir_all(&in_the_way).unwrap();
        assert!(contents(&folder.path) == before);
    }
    fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o555)).unwrap();
    let saved = other.save(&folder.path);
    fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o755)).unwrap();
    // The administrator may write everywhere.
    if saved.is_err() {
        assert!(contents(&folder.path) == before);
    }
}
