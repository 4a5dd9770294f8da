//! Where a model is saved, and what of it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use topicframe::FittedTopicModel;
use topicframe::error::Result;
use topicframe::model::{SaveOptions, SavedImages, SavedVectors};

use crate::outputs;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Saving the model")]
pub struct Saving {
    /// Save the model here: a new folder, or one with a saved model, which is replaced. `topicframe transform` applies it
    /// to new documents, `topicframe info` shows it, and `topicframe edit` changes its topics.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,

    /// Leave out the documents: their texts, images and other columns. New documents can still be placed, and topics
    /// found and edited; tables of documents need them. The vectors and the words of each document are saved all the same,
    /// unless --save-vectors is none, and tell much about the texts.
    #[arg(long, requires = "save")]
    save_without_documents: bool,

    /// The vectors of the documents: `full`; in `half` precision and half of the space; or `none`: then new documents are
    /// placed in the topic with the nearest mean, and the topics can no longer be edited [default: full, or as in the
    /// model that is edited].
    #[arg(long, value_name = "full|half|none", requires = "save", ignore_case = true, hide_possible_values = true)]
    save_vectors: Option<Vectors>,

    /// The pictures of the topics: their `paths` only, with `thumbnails`, or also the `whole` files [default:
    /// thumbnails].
    #[arg(
        long,
        value_name = "paths|thumbnails|whole",
        requires = "save",
        ignore_case = true,
        hide_possible_values = true
    )]
    save_images: Option<Images>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Vectors {
    Full,
    Half,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Images {
    Paths,
    Thumbnails,
    Whole,
}

impl Saving {
    /// The folder that the model is saved to, if it is.
    pub fn folder(&self) -> Option<&Path> {
        self.save.as_deref()
    }

    /// Checks that the model can be saved, before any work.
    pub fn check(&self) -> Result<()> {
        self.folder().map_or(Ok(()), outputs::check_model_folder)
    }

    /// Saves `topics` to `folder`. `vectors` is the precision of vectors if no other is given.
    pub fn write(&self, topics: &FittedTopicModel, folder: &Path, vectors: SavedVectors) -> Result<()> {
        let vectors = match self.save_vectors {
            None => vectors,
            Some(Vectors::Full) => SavedVectors::Full,
            Some(Vectors::Half) => SavedVectors::Half,
            Some(Vectors::None) => SavedVectors::None,
        };
        let images = match self.save_images {
            Some(Images::Paths) => SavedImages::Paths,
            None | Some(Images::Thumbnails) => SavedImages::Thumbnails,
            Some(Images::Whole) => SavedImages::Whole,
        };
        let options = SaveOptions::new().documents(!self.save_without_documents).vectors(vectors).images(images);
        topics.save_with(folder, &options)
    }
}
