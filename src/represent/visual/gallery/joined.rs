//! The pictures of several topics as those of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Gallery, Picture, Shared, TopicPictures};

impl Gallery {
    /// The pictures of `topics` as those of the topic `id`: the best of each in turn, as many as any of them has.
    pub(crate) fn joined(&self, id: i32, topics: &[i32]) -> Gallery {
        let of: Vec<&TopicPictures> = topics.iter().filter_map(|topic| self.0.topics.get(topic)).collect();
        let most = of.iter().map(|topic| topic.pictures.len()).max().unwrap_or(0);
        let in_turn = (0..most).flat_map(|rank| of.iter().map(move |topic| (rank, *topic)));
        let mut joined = TopicPictures::default();
        for (rank, topic) in in_turn {
            let parts = (topic.pictures.get(rank), topic.sizes.get(rank), topic.thumbnails.get(rank));
            if let (Some(picture), Some(&size), Some(thumbnail)) = parts
                && joined.pictures.len() < most
            {
                let rank_here = joined.pictures.len();
                joined.pictures.push(Picture { topic: id, rank: rank_here, ..picture.clone() });
                joined.sizes.push(size);
                joined.thumbnails.push(thumbnail.clone());
                joined.originals.push(topic.originals.get(rank).cloned().flatten());
            }
        }
        Gallery(Arc::new(Shared {
            topics: BTreeMap::from([(id, joined)]),
            skipped: Vec::new(),
            images: self.0.images.clone(),
            collage: self.0.collage,
            limits: self.0.limits,
            // Collages of several topics are put together to one.
            is_composed: self.0.is_composed && topics.len() == 1,
        }))
    }
}
