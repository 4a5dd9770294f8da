//! Reading the user's columns: every accepted type, and every rejected one.

use std::path::Path;

use topicframe::corpus::{Embeddings, ImageColumn, TextColumn};
use topicframe::error::ErrorKind;
use topicframe::polars::prelude::*;
use topicframe::vision::ImageSource;

#[test]
fn blank_texts_are_no_texts() {
    let frame = df!("text" => [Some("a"), None, Some(""), Some(" \n\t\u{3000}"), Some(" b ")]).unwrap();
    let texts = TextColumn::read(&frame, "text").unwrap();
    assert_eq!(texts.rows(), [0, 4]);
    assert_eq!(texts.get(4), Some(" b "));
    assert_eq!(texts.raw(2), Some(""));
    assert_eq!(texts.get(99), None);
}

#[test]
fn a_missing_column_names_those_there_are() {
    let error = TextColumn::read(&df!("caption" => ["a"], "image" => ["b"]).unwrap(), "text").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingColumn);
    assert_eq!(error.column(), Some("text"));
    assert!(format!("{error:#}").contains("`caption`, `image`"), "{error:#}");
}

#[test]
fn a_text_column_of_numbers_is_refused() {
    let error = TextColumn::read(&df!("text" => [1, 2]).unwrap(), "text").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert!(format!("{error:#}").contains("whole numbers (Int32)"), "{error:#}");
}

#[test]
fn images_come_as_paths_bytes_or_structs() {
    let paths = Column::new("path".into(), [Some("a.png"), None, Some(" ")]);
    let bytes = Column::new("bytes".into(), [None, Some(&b"xyz"[..]), None]);
    let both = DataFrame::new(3, vec![bytes.clone(), paths.clone()]).unwrap().into_struct("both".into());
    let frame = DataFrame::new(3, vec![paths, bytes, both.into_series().into_column()]).unwrap();
    let read = |name| ImageColumn::read(&frame, name, Path::new("/pictures")).unwrap();

    let file = ImageSource::File("/pictures/a.png".into());
    let encoded = ImageSource::Encoded { bytes: b"xyz", name: None };
    assert_eq!([0, 1, 2].map(|row| read("path").has(row)), [true, false, false]);
    assert_eq!(read("path").get(0).unwrap().unwrap(), file);
    assert_eq!([0, 1, 2].map(|row| read("bytes").has(row)), [false, true, false]);
    assert_eq!(read("bytes").get(1).unwrap().unwrap(), encoded);
    assert_eq!([0, 1, 2].map(|row| read("both").has(row)), [true, true, false]);
    assert_eq!(read("both").get(0).unwrap().unwrap(), file);
    assert_eq!(read("both").get(1).unwrap().unwrap(), encoded);
}

#[test]
fn an_image_column_of_another_type_is_refused() {
    let other = DataFrame::new(1, vec![Column::new("x".into(), [1])]).unwrap().into_struct("s".into());
    let frame = DataFrame::new(1, vec![Column::new("n".into(), [1]), other.into_series().into_column()]).unwrap();
    for name in ["n", "s"] {
        let error = ImageColumn::read(&frame, name, Path::new("")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongType);
        assert!(format!("{error:#}").contains("Struct{bytes, path}"), "{error:#}");
    }
}

#[test]
fn a_path_does_not_leave_the_image_folder() {
    let paths = ["../secret.png", "a/../../secret.png", "a/../b.png", "/absolute.png"];
    let images = ImageColumn::read(&df!("image" => paths).unwrap(), "image", Path::new("/pictures")).unwrap();
    for row in [0, 1] {
        let error = images.get(row).unwrap_err();
        assert_eq!((error.row(), error.column()), (Some(row), Some("image")));
    }
    assert!(images.get(2).unwrap().is_some());
    assert_eq!(images.get(3).unwrap().unwrap(), ImageSource::File("/absolute.png".into()));
}

fn vectors(rows: &[Option<&[f32]>]) -> DataFrame {
    let mut list = ListPrimitiveChunkedBuilder::<Float32Type>::new("v".into(), rows.len(), 8, DataType::Float32);
    for row in rows {
        list.append_opt_slice(*row);
    }
    DataFrame::new(rows.len(), vec![list.finish().into_column()]).unwrap()
}

#[test]
fn vectors_come_as_lists_or_arrays() {
    let lists = vectors(&[Some(&[1.0, 2.0]), None, Some(&[3.0, 4.0])]);
    let array = DataType::Array(Box::new(DataType::Float32), 2);
    let arrays = DataFrame::new(3, vec![lists.column("v").unwrap().cast(&array).unwrap()]).unwrap();
    for frame in [lists, arrays] {
        let read = Embeddings::read(&frame, "v").unwrap();
        assert_eq!((read.len(), read.dimensions()), (3, 2));
        assert_eq!([read.get(0), read.get(1), read.get(2)], [Some(&[1.0, 2.0][..]), None, Some(&[3.0, 4.0][..])]);
        assert_eq!(read.select(&[2, 0]), ndarray::array![[3.0, 4.0], [1.0, 2.0]]);
        let column = read.to_column("v").unwrap();
        assert_eq!(column.dtype(), &array);
        assert_eq!(column.null_count(), 1);
    }
}

#[test]
fn sliced_and_chunked_columns_read_the_same() {
    let frame = vectors(&[Some(&[9.0, 9.0]), Some(&[1.0, 2.0]), None, Some(&[5.0, 6.0])]);
    let array = frame.column("v").unwrap().cast(&DataType::Array(Box::new(DataType::Float32), 2)).unwrap();
    let frame = DataFrame::new(4, vec![array]).unwrap();
    let mut parts = frame.slice(1, 2);
    parts.vstack_mut(&frame.slice(3, 1)).unwrap();
    let read = Embeddings::read(&parts, "v").unwrap();
    assert_eq!([read.get(0), read.get(1), read.get(2)], [Some(&[1.0, 2.0][..]), None, Some(&[5.0, 6.0][..])]);
}

#[test]
fn vectors_that_cannot_be_used_name_the_row() {
    let good: &[f32] = &[1.0, 2.0];
    for (row, bad, kind) in [
        (1, vectors(&[Some(good), Some(&[1.0, f32::NAN])]), ErrorKind::InvalidData),
        (2, vectors(&[Some(good), None, Some(&[f32::INFINITY, 0.0])]), ErrorKind::InvalidData),
        (1, vectors(&[Some(good), Some(&[1.0])]), ErrorKind::InvalidData),
    ] {
        let error = Embeddings::read(&bad, "v").unwrap_err();
        assert_eq!((error.kind(), error.row(), error.column()), (kind, Some(row), Some("v")), "{error:#}");
    }
    let hole = df!("x" => [1.0_f32]).unwrap();
    assert_eq!(Embeddings::read(&hole, "x").unwrap_err().kind(), ErrorKind::WrongType);
    let numbers = df!("x" => [1]).unwrap();
    assert_eq!(Embeddings::read(&numbers, "x").unwrap_err().kind(), ErrorKind::WrongType);
    // New rows may all lack vectors.
    let none = Embeddings::read(&vectors(&[None, None]), "v").unwrap();
    assert!(!none.has(0) && !none.has(1) && none.len() == 2);
}

#[test]
fn a_number_that_is_missing_inside_a_vector_names_the_row() {
    let list = Series::new("v".into(), [Series::new("".into(), [Some(1.0_f32), None])]).into_column();
    let arrays = list.cast(&DataType::Array(Box::new(DataType::Float32), 2)).unwrap();
    for column in [list, arrays] {
        let error = Embeddings::read(&DataFrame::new(1, vec![column]).unwrap(), "v").unwrap_err();
        assert_eq!(error.row(), Some(0), "{error:#}");
    }
}

#[test]
fn doubles_are_rounded() {
    let list = DataType::List(Box::new(DataType::Float64));
    let column = vectors(&[Some(&[0.5, 2.0]), None]).column("v").unwrap().cast(&list).unwrap();
    let arrays = column.cast(&DataType::Array(Box::new(DataType::Float64), 2)).unwrap();
    for column in [column, arrays] {
        let read = Embeddings::read(&DataFrame::new(2, vec![column]).unwrap(), "v").unwrap();
        assert_eq!([read.get(0), read.get(1)], [Some(&[0.5, 2.0][..]), None]);
    }
}

#[test]
fn columns_of_nulls_without_a_type_hold_nothing() {
    let frame = DataFrame::new(3, vec![Column::full_null("x".into(), 3, &DataType::Null)]).unwrap();
    assert!(TextColumn::read(&frame, "x").unwrap().rows().is_empty());
    let images = ImageColumn::read(&frame, "x", Path::new("")).unwrap();
    assert!(!images.has(0) && images.check_reachable().is_ok());
}
