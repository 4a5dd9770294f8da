//! Giving a loaded model what was not saved with it.

use std::sync::Arc;

use super::FittedTopicModel;
use crate::caption::ImageCaptioner;
use crate::corpus::Columns;
use crate::embed::{ImageEmbedder, TextEmbedder};
use crate::encode::Encoder;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::TopicModel;
use crate::model::pipeline::Pipeline;
use crate::progress::Progress;
use crate::represent::Representation;

impl FittedTopicModel {
    /// Returns the model with another embedder of texts: for a [loaded](Self::load) model whose embedder is a type of
    /// your own, or is no longer where it was.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?.with_embedder(StaticEmbedder::builtin())?;
    /// assert_eq!(topics.find_topics("cat", 1)?.height(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A parameter of the embedder is out of range; its vectors have other dimensions than those of the embedder before.
    pub fn with_embedder(&self, embedder: impl TextEmbedder + 'static) -> Result<FittedTopicModel> {
        embedder.check()?;
        let before = self.settings.encoder.text_embedder.as_ref().map(|before| before.dimensions());
        check_dimensions(before, embedder.dimensions())?;
        let embedder: Arc<dyn TextEmbedder> = Arc::new(embedder);
        Ok(self.encoding(|encoder| encoder.text_embedder = Some(Arc::clone(&embedder))))
    }

    /// Returns the model with another embedder of images, as [`with_embedder`](Self::with_embedder). If the model embeds
    /// texts with the same embedder (`TopicModel::text_and_images`), call both.
    ///
    /// # Errors
    /// As [`with_embedder`](Self::with_embedder).
    pub fn with_image_embedder(&self, embedder: impl ImageEmbedder + 'static) -> Result<FittedTopicModel> {
        embedder.check()?;
        let before = self.settings.encoder.image_embedder.as_ref().map(|before| before.dimensions());
        check_dimensions(before, embedder.dimensions())?;
        let embedder: Arc<dyn ImageEmbedder> = Arc::new(embedder);
        Ok(self.encoding(|encoder| encoder.image_embedder = Some(Arc::clone(&embedder))))
    }

    /// The captioner of the model, for other images. That of a [loaded](Self::load) model is loaded from where it was
    /// when it first captions an image; if it is not there, the error says which one is missing.
    pub fn captioner(&self) -> Option<Arc<dyn ImageCaptioner>> {
        self.settings.captioner.clone()
    }

    /// Returns the model with another [captioner](Self::captioner): for a loaded model whose captioner is a type of your
    /// own, or is no longer where it was.
    ///
    /// ```
    /// use topicframe::caption::ImageCaptioner;
    /// use topicframe::prelude::*;
    ///
    /// /// Captions all images alike.
    /// #[derive(Debug)]
    /// struct Picture;
    ///
    /// impl ImageCaptioner for Picture {
    ///     fn caption_images(&self, images: &[ImageSource<'_>], _: &Progress) -> Result<Vec<Option<String>>, Error> {
    ///         Ok(vec![Some("a picture".to_owned()); images.len()])
    ///     }
    /// }
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?.with_captioner(Picture);
    /// let captioner = topics.captioner().ok_or("no captioner")?;
    /// assert_eq!(captioner.caption_images(&["a.png".into()], &Progress::silent())?, [Some("a picture".to_owned())]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_captioner(&self, captioner: impl ImageCaptioner + 'static) -> FittedTopicModel {
        let settings = TopicModel { captioner: Some(Arc::new(captioner)), ..(*self.settings).clone() };
        FittedTopicModel { settings: Arc::new(settings), ..self.clone() }
    }

    /// Returns the model with another representation `name` for later edits: for a loaded model with one of a type of
    /// your own. The topics are not described anew.
    ///
    /// # Errors
    /// A parameter is out of range; the model has no representation with this name.
    pub fn with_representation(
        &self,
        name: &str,
        representation: impl Representation + 'static,
    ) -> Result<FittedTopicModel> {
        representation.check()?;
        let mut settings = (*self.settings).clone();
        let Some(place) = settings.representations.iter_mut().find(|(known, _)| known == name) else {
            let message = format!("the model has no representation `{name}`");
            return Err(Error::new(ErrorKind::NotFound, Stage::Represent, message)
                .with_hint("This replaces a representation that the model was fitted with."));
        };
        let now: Arc<dyn Representation> = Arc::new(representation);
        let before = std::mem::replace(&mut place.1, Arc::clone(&now));
        let earlier = self.earlier_with(&before, &now);
        Ok(FittedTopicModel { settings: Arc::new(settings), earlier, ..self.clone() })
    }

    /// The columns that [`transform`](Self::transform) reads.
    pub fn columns(&self) -> Columns {
        self.pipeline.encoder.encoder.columns.clone()
    }

    /// Returns the model with other columns that [`transform`](Self::transform) reads, and another folder of images: for
    /// new rows in a frame with other names, or with precomputed vectors instead of texts.
    ///
    /// ```
    /// use topicframe::corpus::Columns;
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let topics = topics.with_columns(Columns { text: Some("title".to_owned()), ..topics.columns() });
    /// assert_eq!(topics.transform(&df!("title" => ["a train"])?)?.height(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_columns(&self, columns: Columns) -> FittedTopicModel {
        let mut pipeline: Pipeline = (*self.pipeline).clone();
        pipeline.encoder.encoder.columns = columns;
        FittedTopicModel { pipeline: Arc::new(pipeline), ..self.clone() }
    }

    /// Returns the model with another channel for reports: a [loaded](Self::load) model is silent, except in a notebook.
    #[must_use]
    pub fn with_progress(&self, progress: Progress) -> FittedTopicModel {
        let settings = TopicModel { progress, ..(*self.settings).clone() };
        FittedTopicModel { settings: Arc::new(settings), ..self.clone() }
    }

    fn encoding(&self, change: impl Fn(&mut Encoder)) -> FittedTopicModel {
        let mut settings = (*self.settings).clone();
        let mut pipeline: Pipeline = (*self.pipeline).clone();
        change(&mut settings.encoder);
        change(&mut pipeline.encoder.encoder);
        FittedTopicModel { settings: Arc::new(settings), pipeline: Arc::new(pipeline), ..self.clone() }
    }
}

fn check_dimensions(before: Option<usize>, now: usize) -> Result<()> {
    match before.filter(|&before| before != now) {
        None => Ok(()),
        Some(before) => {
            let message = format!("the embedder has {now} dimensions, but the one of the fit had {before}");
            Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message)
                .with_hint("Use the embedder that the model was fitted with."))
        }
    }
}
