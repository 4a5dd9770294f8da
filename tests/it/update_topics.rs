//! Topics of one's own after a choice of outliers, and descriptions made anew.

use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::edits::{ROWS, assert_sound, fitted, new_rows, placed, together};

const CHOICES: [Outliers; 4] = [Outliers::AsClustered, Outliers::None, Outliers::Share(0.1), Outliers::Below(0.8)];

#[test]
fn topics_that_are_given_back_change_nothing() {
    for (name, topics) in fitted() {
        let reduced = ReduceOutliers::new(OutlierStrategy::Embeddings).threshold(0.2);
        let chosen = [
            topics.with_outliers(Outliers::None).unwrap(),
            topics.with_outliers(0.3).unwrap(),
            topics.with_outliers(Outliers::Below(0.6)).unwrap(),
            topics.with_outliers(0.4).unwrap().reduce_outliers(reduced).unwrap(),
        ];
        for (number, chosen) in chosen.iter().enumerate() {
            let case = format!("{name}, choice {number}");
            let same = chosen.update_topics(&UpdateTopics::new().topics(&chosen.labels())).unwrap();
            assert_sound(&same, &case);
            assert_eq!((same.labels(), same.probabilities()), (chosen.labels(), chosen.probabilities()), "{case}");
            let new = |topics: &FittedTopicModel| topics.transform(&new_rows()).unwrap();
            assert!(new(&same).equals_missing(&new(chosen)), "{case}: new rows");
            assert_eq!(same.history().last().unwrap().edit, "update_topics");
            for outliers in CHOICES {
                let (after, expected) =
                    (same.with_outliers(outliers).unwrap(), chosen.with_outliers(outliers).unwrap());
                assert_eq!(together(&after.labels()), together(&expected.labels()), "{case}, {outliers}");
                assert_eq!(after.probabilities(), expected.probabilities(), "{case}, {outliers}");
                let new = |topics| together(&placed(topics, &new_rows()));
                assert_eq!(new(&after), new(&expected), "{case}, {outliers}");
            }
        }
    }
}

#[test]
fn rows_that_a_person_moved_stay_when_outliers_are_chosen_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, topics) in fitted() {
        for (number, choice) in [Outliers::Share(0.3), Outliers::None].into_iter().enumerate() {
            let chosen = topics.with_outliers(choice).unwrap();
            let before = chosen.with_outliers(Outliers::AsClustered).unwrap();
            let labels = chosen.labels();
            let row_of = |topic: i32| (0..ROWS).find(|&row| labels[row] == topic);
            // One is set aside, one changes its topic, one is taken in, if there is an outlier.
            let (aside, other, taken) = (row_of(1).unwrap(), row_of(2).unwrap(), row_of(-1));
            let mut mine = labels.clone();
            (mine[aside], mine[other]) = (-1, 0);
            taken.into_iter().for_each(|row| mine[row] = 0);
            let moved = chosen.update_topics(&UpdateTopics::new().topics(&mine)).unwrap();
            assert_sound(&moved, &format!("{name}, {choice}"));
            assert_eq!(together(&moved.labels()), together(&mine), "{name}, {choice}");

            let path = folder.path().join(format!("{name}-{number}"));
            moved.save(&path).unwrap();
            for moved in [moved, FittedTopicModel::load(&path).unwrap()] {
                let back = moved.with_outliers(Outliers::AsClustered).unwrap();
                assert_sound(&back, &format!("{name}, {choice}, taken back"));
                let now = back.labels();
                // Where the topic that was 0 is: where the rows are that are in it without and with the choice.
                let stayed = (0..ROWS).find(|&row| labels[row] == 0 && before.labels()[row] >= 0).unwrap();
                let in_first = Some(now[stayed]);
                assert_eq!((now[aside], Some(now[other])), (-1, in_first), "{name}, {choice}");
                assert_eq!(back.probabilities()[other], 1.0, "{name}, {choice}");
                if let Some(row) = taken {
                    assert_eq!((Some(now[row]), back.probabilities()[row]), (in_first, 1.0), "{name}, {choice}");
                }
                // The choice is taken back for all others.
                let by_hand = |row: &usize| [Some(aside), Some(other), taken].contains(&Some(*row));
                for row in (0..ROWS).filter(|row| !by_hand(row)) {
                    assert_eq!(now[row] < 0, before.labels()[row] < 0, "{name}, {choice}: row {row}");
                }
            }
        }
    }
}

/// The first words of topics.
#[derive(Debug)]
struct First(usize);

impl Representation for First {
    fn check(&self) -> topicframe::error::Result<()> {
        Ok(())
    }

    fn describe(&self, _: &TopicContext<'_>, words: &TopicWords) -> topicframe::error::Result<Aspect> {
        let first =
            |(&topic, words): (&i32, &Vec<(String, f64)>)| (topic, words.iter().take(self.0).cloned().collect());
        Ok(Aspect::Words(words.iter().map(first).collect()))
    }
}

#[test]
fn representations_that_are_replaced_keep_their_place() {
    let posts = df!("text" => ["the black cat sleeps", "a very fast train"].repeat(10)).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    let model = model.representation("First", First(3)).representation("Second", First(2));
    let topics = model.representation("Third", First(1)).fit(&posts).unwrap();
    let update = UpdateTopics::new()
        .representation("New", First(1))
        .representation("Second", First(3))
        .representation("First", First(2))
        .representation("Second", First(1));
    let updated = topics.update_topics(&update).unwrap();
    let columns = |topics: &FittedTopicModel| -> Vec<String> {
        let info = topics.get_topic_info().unwrap();
        let names = info.get_column_names_owned().into_iter().map(|name| name.to_string());
        names.skip_while(|name| name != "Representation").skip(1).collect()
    };
    assert_eq!(columns(&topics), ["First", "Second", "Third", "Representative_Docs"]);
    assert_eq!(columns(&updated), ["First", "Second", "Third", "New", "Representative_Docs"]);
    let words = |name: &str| match updated.topic_aspect(name).unwrap() {
        Aspect::Words(words) => words[&0].len(),
        _ => panic!("{name} has no words"),
    };
    assert_eq!((words("First"), words("Second"), words("Third"), words("New")), (2, 1, 1, 1), "a chain is one");
}
