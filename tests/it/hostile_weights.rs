//! Malicious weights: false headers, endless pickles, and truncated files.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use topicframe::embed::MultiModalBackend;
use topicframe::error::ErrorKind;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::hostile_models::{SENTENCE, copy, fixtures, load, refused};

/// A `pytorch_model.bin` with these entries.
fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap();
}

fn entries(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|number| {
            let mut entry = archive.by_index(number).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}

const PICKLED: &str = "models/sentence_transformers/bert_pickle";

fn refused_pickle(entries: &[(&str, &[u8])]) -> String {
    let folder = copy(PICKLED);
    archive(&folder.path().join("pytorch_model.bin"), entries);
    let told = refused(folder.path());
    assert!(told.contains("pytorch_model.bin"), "{told}");
    told
}

#[test]
fn pickles_nested_without_end_are_read_to_their_end() {
    for opcode in [b"\x85".as_slice(), b"NR", b"]a", b"Q", b"(t", b"}NNs0"] {
        let program = [b"\x80\x02N".as_slice(), &opcode.repeat(1_000_000), b"."].concat();
        refused_pickle(&[("archive/data.pkl", &program)]);
    }
    let lists = [b"\x80\x02".as_slice(), &b"]".repeat(500_000), &b"a".repeat(499_999), b"."].concat();
    assert!(refused_pickle(&[("archive/data.pkl", &lists)]).contains("not a dict"));
}

#[test]
fn pickles_that_double_themselves_are_no_more_than_they_say() {
    let mut laughs = b"\x80\x02Nq\x00".to_vec();
    (0..40).for_each(|i| laughs.extend([b'h', i, b'h', i, 0x86, b'q', i + 1]));
    laughs.push(b'.');
    assert!(refused_pickle(&[("archive/data.pkl", &laughs)]).contains("not a dict"));
    // The same in a dict that contains itself, and with marks.
    let mut dicts = b"\x80\x02}q\x00".to_vec();
    (0..60).for_each(|_| dicts.extend(b"h\x00h\x00s"));
    dicts.push(b'.');
    let told = refused_pickle(&[("archive/data.pkl", &dicts)]);
    assert!(told.contains("pickle") || told.contains("tensor"), "{told}");
    let mut marks = b"\x80\x02Nq\x00".to_vec();
    (0..40).for_each(|i| marks.extend([b'(', b'h', i, b'h', i, b'h', i, b't', b'q', i + 1]));
    marks.push(b'.');
    assert!(refused_pickle(&[("archive/data.pkl", &marks)]).contains("not a dict"));
    let long = [b"\x80\x02".as_slice(), &b"N".repeat(17 << 20), b"."].concat();
    assert!(refused_pickle(&[("archive/data.pkl", &long)]).contains("17825795 bytes"));
}

#[test]
fn pickled_tensors_lie_within_their_storage() {
    let folder = copy(PICKLED);
    let path = folder.path().join("pytorch_model.bin");
    let whole = entries(&path);
    let rewritten = |change: &dyn Fn(&str, &mut Vec<u8>)| {
        let mut changed = whole.clone();
        changed.iter_mut().for_each(|(name, content)| change(name, content));
        let borrowed: Vec<(&str, &[u8])> = changed.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
        archive(&path, &borrowed);
        load(folder.path())
    };
    rewritten(&|_, _| {}).unwrap();
    // Storages that are shorter than their tensors.
    let error = rewritten(&|name, content| {
        if name.contains("/data/") {
            content.truncate(content.len() / 2);
        }
    });
    assert!(error.map_err(|error| format!("{error:#}")).unwrap_err().contains("not completely in its storage"));
    // Storages that are not there: their names in the pickle are others.
    let error = rewritten(&|name, content| {
        if name.ends_with("data.pkl") {
            let at = content.windows(7).position(|window| window == b"storage").unwrap();
            content[at + 7..].iter_mut().filter(|byte| **byte == b'1').for_each(|byte| *byte = b'x');
        }
    });
    assert!(error.is_err());
    // The largest dimensions that fit in a one-byte number.
    let error = rewritten(&|name, content| {
        if name.ends_with("data.pkl") {
            let sides: Vec<usize> = (0..content.len() - 1).filter(|at| content[*at] == b'K').collect();
            sides.into_iter().for_each(|at| content[at + 1] = 255);
        }
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Model);
    // Truncation at regular intervals.
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(bytes.len() / 40) {
        fs::write(&path, &bytes[..length]).unwrap();
        refused(folder.path());
    }
    // Marked as compressed.
    let mut packed = bytes.clone();
    for (mark, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let places: Vec<usize> = (0..packed.len() - 4).filter(|i| &packed[*i..*i + 4] == mark).collect();
        places.into_iter().for_each(|place| packed[place + at] = 8);
    }
    fs::write(&path, packed).unwrap();
    assert!(refused(folder.path()).contains("compressed"));
    // The format that PyTorch wrote before 1.6.
    fs::write(&path, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.").unwrap();
    assert!(refused(folder.path()).contains("PyTorch 1.6"));
}

/// A safetensors file with this header, followed by `bytes` bytes.
fn safetensors(path: &Path, header: &str, bytes: usize) {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    fs::write(path, file).unwrap();
}

#[test]
fn headers_that_lie_are_refused() {
    let folder = copy(&format!("{SENTENCE}/bert_cls"));
    let path = folder.path().join("model.safetensors");
    let tensor = |shape: &str, start: u64, end: u64| {
        format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    for (header, bytes, said) in [
        (format!(r#"{{"a":{}}}"#, tensor("[4]", 0, 17)), 64, "not completely"),
        (format!(r#"{{"a":{}}}"#, tensor("[4]", 16, 0)), 64, "not completely"),
        (format!(r#"{{"a":{}}}"#, tensor("[16]", 8, 72)), 64, "not completely"),
        (format!(r#"{{"a":{}}}"#, tensor("[4611686018427387904,8]", 0, 64)), 64, "too large"),
        (format!(r#"{{"a":{}}}"#, tensor("[-1]", 0, 64)), 64, "no shape"),
        (format!(r#"{{"a":{}}}"#, tensor("[4]", u64::MAX - 8, 7)), 64, "not completely"),
        (format!(r#"{{"a":{},"b":{}}}"#, tensor("[8]", 0, 32), tensor("[8]", 28, 60)), 64, "overlap"),
        (format!(r#"{{"a":{}}}"#, "[".repeat(100_000)), 64, "not JSON"),
        ("[]".to_owned(), 64, "not an object"),
    ] {
        safetensors(&path, &header, bytes);
        let told = refused(folder.path());
        assert!(told.contains("model.safetensors") && told.contains(said), "{header:.100}: {told}");
    }
    // Layers that all share the same data would take many times as much memory.
    let whole = fs::read(fixtures().join(SENTENCE).join("bert_cls/model.safetensors")).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&whole[8..8 + length]).unwrap();
    let layers: Vec<(String, Value)> = header
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.contains("layer.0."))
        .map(|(name, place)| (name.clone(), place.clone()))
        .collect();
    for number in 2..1_000 {
        for (name, place) in &layers {
            header[name.replace("layer.0.", &format!("layer.{number}."))] = place.clone();
        }
    }
    safetensors(&path, &header.to_string(), whole.len() - 8 - length);
    assert!(refused(folder.path()).contains("overlap"));
    fs::write(&path, (17_u64 << 20).to_le_bytes()).unwrap();
    assert!(refused(folder.path()).contains("longer than the file"));
    safetensors(&path, &" ".repeat(17 << 20), 0);
    assert!(refused(folder.path()).contains("the maximum is 16777216"));
}

#[test]
fn an_index_names_few_files_of_its_own_folder() {
    let folder = copy(&format!("{SENTENCE}/bert_cls"));
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let index = folder.path().join("model.safetensors.index.json");
    let with = |files: Vec<String>| {
        let map: serde_json::Map<String, Value> =
            (0..).zip(files).map(|(i, file): (usize, String)| (format!("tensor.{i}"), json!(file))).collect();
        fs::write(&index, json!({"weight_map": map}).to_string()).unwrap();
        refused(folder.path())
    };
    let told = with((0..8_000).map(|i| format!("model-{i}.safetensors")).collect());
    assert!(told.contains("names 8000 files") && told.contains("index.json"), "{told}");
    for file in ["../model.safetensors", "/etc/model.safetensors", "a\\model.safetensors", "config.json", ""] {
        assert!(with(vec![file.to_owned()]).contains("index.json"), "{file}");
    }
    assert!(with(vec!["none.safetensors".to_owned()]).contains("none.safetensors"));
    assert!(with(Vec::new()).contains("names 0 files"));
    // Many tensors in few files take no longer than their size requires.
    assert!(with(vec!["none.safetensors".to_owned(); 100_000]).contains("none.safetensors"));
}

#[test]
fn a_file_that_is_cut_short_while_it_is_read_is_an_error() {
    let folder = copy("models/clip/gelu");
    let path = folder.path().join("model.safetensors");
    // The towers are read when first needed.
    let model = MultiModalBackend::from_dir(folder.path()).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    File::options().write(true).open(&path).unwrap().set_len(length / 4).unwrap();
    let error = model.embed_documents(&["a cat"]).unwrap_err();
    assert!(error.kind() == ErrorKind::Model && format!("{error:#}").contains("model.safetensors"), "{error:#}");
}
