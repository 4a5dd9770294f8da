//! The code of `notebooks/03_images_only.ipynb`, cell after cell: `TOPICFRAME_WRITE_EXAMPLES=1 cargo test --release notebooks`
//! writes this file.

use topicframe::prelude::Show;

/// What a cell shows, as text.
fn cell(shown: &dyn Show) {
    println!("{}\n", shown.to_text().unwrap_or_default());
}

#[rustfmt::skip]
#[allow(unused_variables, clippy::all)]
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cell 1
    use topicframe::prelude::*;

    let folder = "examples/data/openclipart/images";
    let pictures = read_image_folder(folder)?;
    cell(&pictures.head(Some(3)));

    // Cell 2
    use topicframe::ndarray::{Array2, ArrayViewMut1};
    use topicframe::vision::{decode, thumbnail};

    /// How much of which colour a picture has.
    #[derive(Debug, Clone)]
    struct Colours;

    impl Colours {
        fn count(&self, image: &ImageSource<'_>, mut row: ArrayViewMut1<'_, f32>) -> Result<(), Error> {
            let small = thumbnail(&decode(image, &Limits::new())?, 64);
            for pixel in small.pixels().filter(|pixel| pixel.0.iter().any(|&shade| shade < 250)) {
                let [red, green, blue] = pixel.0.map(|shade| usize::from(shade / 64));
                row[16 * red + 4 * green + blue] += 1.0;
            }
            // Roots, so that a little of a colour counts, and a length of 1.
            row.mapv_inplace(f32::sqrt);
            let length = row.dot(&row).sqrt();
            row.mapv_inplace(|value| if length > 0.0 { value / length } else { 0.0 });
            Ok(())
        }
    }

    impl ImageEmbedder for Colours {
        fn dimensions(&self) -> usize {
            4 * 4 * 4
        }

        fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>, Error> {
            let mut vectors = Array2::zeros((images.len(), self.dimensions()));
            for (image, row) in images.iter().zip(vectors.rows_mut()) {
                if let Err(error) = self.count(image, row) {
                    progress.note(Stage::Embed, error.to_string());
                }
            }
            Ok(vectors)
        }
    }

    // Cell 3
    let model = TopicModel::images("image", Colours)
        .image_folder(folder)
        .clusterer(Hdbscan::new().min_cluster_size(15))
        .representation("Visual_Aspect", VisualRepresentation::new());
    let topics = model.fit(&pictures)?;
    cell(&topics.get_topic_info()?.select(["Topic", "Count", "Visual_Aspect"])?.head(Some(8)));

    // Cell 4
    let clip = "";

    if clip.is_empty() {
        println!("No model is named: put clip-ViT-B-32, or the folder of a CLIP model, into `clip` above.");
    } else {
        let backend = match std::path::Path::new(clip).is_dir() {
            true => MultiModalBackend::from_dir(clip)?,
            false => MultiModalBackend::from_hub(clip)?,
        };
        let model = TopicModel::images("image", backend)
            .image_folder(folder)
            .representation("Visual_Aspect", VisualRepresentation::new());
        model.fit(&pictures)?.evcxr_display();
    }

    // Cell 5
    let apple = "examples/data/openclipart/images/food/apple.png";
    cell(&show((picture(apple), topics.find_topics_by_image(apple, 3)?)));

    Ok(())
}
