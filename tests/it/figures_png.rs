//! Figures as PNG.

use topicframe::error::ErrorKind;
use topicframe::prelude::*;

use crate::corpora::frame;

fn topics() -> FittedTopicModel {
    let model = TopicModel::text("caption", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    model.fit(&frame(60)).unwrap()
}

#[cfg(not(feature = "png"))]
#[test]
fn without_the_feature_png_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = topics().visualize_heatmap().write(folder.path().join("x.PNG")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(format!("{error:#}").contains("the feature `png`"), "{error:#}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(feature = "png")]
#[test]
fn figures_are_drawn_as_png() {
    let (folder, topics) = (tempfile::tempdir().unwrap(), topics());
    let path = folder.path().join("documents.png");
    let figure = topics.visualize_documents().title("Three topics");
    match figure.write(&path) {
        Ok(()) => {}
        // Text needs a font.
        Err(error) => return assert!(error.kind() == ErrorKind::NotFound && error.message().contains("no fonts")),
    }
    let drawn = |path: &std::path::Path| image::open(path).unwrap().to_rgb8();
    let image = drawn(&path);
    let svg = crate::figures_svg::shapes(&figure.svg().unwrap());
    assert_eq!(image.width(), 2 * svg[0].number("width") as u32);
    assert_eq!(image.height(), 2 * svg[0].number("height") as u32);
    assert_eq!(image.get_pixel(2, 2).0, [255; 3]);
    // The title is ink, and the points have the colors of three topics.
    let ink = |image: &image::RgbImage| {
        let title = (32..330).flat_map(|x| (36..70).map(move |y| (x, y)));
        title.filter(|&(x, y)| image.get_pixel(x, y).0.iter().all(|&part| part < 100)).count()
    };
    assert!(ink(&image) > 200, "{}", ink(&image));
    let colorful = image.pixels().filter(|pixel| pixel.0.iter().max().unwrap() - pixel.0.iter().min().unwrap() > 60);
    assert!(colorful.count() > 500);
    figure.clone().title("").write(&path).unwrap();
    assert_eq!(ink(&drawn(&path)), 0);
    figure.dark(true).write(&path).unwrap();
    assert_eq!(drawn(&path).get_pixel(2, 2).0, [0x11, 0x14, 0x18]);
}
