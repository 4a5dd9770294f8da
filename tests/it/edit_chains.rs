//! Chains of edits of all kinds: what holds after each of them, wherever the model was saved in between.

use std::collections::BTreeMap;

use proptest::prelude::*;
use topicframe::prelude::*;

use crate::edits::{ROWS, assert_sound, fitted, kmeans, new_rows, placed, rows_of, together};

/// What an edit of a chain may be; numbers are reduced to topics that exist.
fn edited(topics: &FittedTopicModel, (kind, a, b): (u8, u16, u16)) -> FittedTopicModel {
    let ids: Vec<i32> = topics.topic_ids().into_iter().filter(|&id| id >= 0).collect();
    if ids.is_empty() {
        return topics.undo().unwrap_or_else(|_| topics.clone());
    }
    let topic = |number: u16| ids[usize::from(number) % ids.len()];
    let share = f64::from(b % 11) / 20.0;
    let strategies = [OutlierStrategy::CTfIdf, OutlierStrategy::Embeddings, OutlierStrategy::Probabilities];
    let how = ReduceOutliers::new(strategies[usize::from(a) % 3]);
    match kind % 10 {
        0 => topics.merge_topics(&[&[topic(a), topic(b)]]).unwrap(),
        1 => topics.delete_topics(&[topic(a)]).unwrap(),
        2 => topics.set_topic_labels([(topic(a), format!("L{b}"))]).unwrap(),
        3 => topics
            .with_outliers(
                [Outliers::Share(share), Outliers::Below(share), Outliers::None, Outliers::AsClustered]
                    [usize::from(a) % 4],
            )
            .unwrap(),
        4 => topics.reduce_outliers(how.threshold(share)).unwrap_or_else(|_| topics.clone()),
        5 => topics.reduce_outliers(how.max_outliers(share)).unwrap_or_else(|_| topics.clone()),
        6 => topics.split_topic(topic(a), 2).unwrap_or_else(|_| topics.clone()),
        7 => topics.reduce_topics(ReduceTopics::to(ids.len().max(2) - 1).use_ctfidf(a % 2 == 0)).unwrap(),
        8 => {
            // Some rows are moved by hand, one is an outlier.
            let mut mine = topics.labels();
            let (from, to) = (usize::from(a) % ROWS, usize::from(b) % ROWS);
            mine[from.min(to)..from.max(to)].iter_mut().step_by(2).for_each(|of_row| *of_row = topic(b));
            mine[from] = -1;
            topics.update_topics(&UpdateTopics::new().topics(&mine)).unwrap()
        }
        _ => topics.undo().unwrap_or_else(|_| topics.clone()),
    }
}

/// Labels are where most rows of their topic are.
fn assert_labels_follow(before: &FittedTopicModel, after: &FittedTopicModel) {
    let edit = after.history();
    if edit.len() != before.history().len() + 1 || edit.last().unwrap().edit == "set_topic_labels" {
        return;
    }
    let mut rows = BTreeMap::<(i32, i32), usize>::new();
    for (from, to) in before.labels().into_iter().zip(after.labels()).filter(|(from, to)| *from >= 0 && *to >= 0) {
        *rows.entry((from, to)).or_insert(0) += 1;
    }
    for (topic, label) in after.custom_labels().into_iter().filter(|(topic, _)| *topic >= 0) {
        let of_label = |from: i32| before.custom_labels().get(&from) == Some(&label);
        let most = rows.iter().filter(|((_, to), _)| *to == topic).map(|(_, &count)| count).max().unwrap();
        assert!(rows.iter().any(|(&(from, to), &count)| to == topic && count == most && of_label(from)), "{label}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chains_of_edits_are_sound_and_can_be_saved_anywhere(
        which in 0_usize..3,
        steps in prop::collection::vec(any::<(u8, u16, u16)>(), 1..7),
        saved_after in 0_usize..6,
    ) {
        let start = &fitted()[which].1;
        let (mut topics, mut other) = (start.clone(), None::<FittedTopicModel>);
        let words = |topics: &FittedTopicModel| topics.terms().counts.column_sums();
        for (number, &step) in steps.iter().enumerate() {
            let before = topics;
            topics = edited(&before, step);
            assert_labels_follow(&before, &topics);
            assert_sound(&topics, &format!("{which}, {:?}", &steps[..=number]));
            prop_assert_eq!(words(&topics), words(start));
            // What was loaded cannot be taken back.
            let is_taken_back = step.0 % 10 == 9 || before.summary().topics == 0;
            other = other.filter(|_| !is_taken_back).map(|other| edited(&other, step));
            if number == saved_after {
                let folder = tempfile::tempdir().unwrap();
                topics.save(folder.path().join("model")).unwrap();
                other = Some(FittedTopicModel::load(folder.path().join("model")).unwrap());
            }
        }
        if let Some(other) = other.filter(|other| other.history().len() == topics.history().len()) {
            prop_assert_eq!(other.history(), topics.history());
            prop_assert!(other.get_document_info().unwrap().equals_missing(&topics.get_document_info().unwrap()));
            prop_assert!(other.get_topic_info().unwrap().equals_missing(&topics.get_topic_info().unwrap()));
            prop_assert!(other.transform(&new_rows()).unwrap().equals_missing(&topics.transform(&new_rows()).unwrap()));
            prop_assert_eq!(other.custom_labels(), topics.custom_labels());
        }
    }

    #[test]
    fn edits_of_different_topics_may_come_in_any_order(order in Just((0..4).collect::<Vec<usize>>()).prop_shuffle()) {
        let edit = |topics: &FittedTopicModel, which: usize| {
            let now = |topic: i32| topics.history().iter().fold(topic, |topic, edit| edit.successor(topic));
            match which {
                0 => topics.delete_topics(&[now(0)]).unwrap(),
                1 => topics.merge_topics(&[&[now(1), now(2)]]).unwrap(),
                2 => topics.split_topic(now(3), 2).unwrap(),
                _ => topics.set_topic_labels([(now(4), "four")]).unwrap(),
            }
        };
        let expected = (0..4).fold(kmeans().clone(), |topics, which| edit(&topics, which));
        let turned = order.iter().fold(kmeans().clone(), |topics, &which| edit(&topics, which));
        prop_assert_eq!(together(&turned.labels()), together(&expected.labels()));
        prop_assert_eq!(together(&placed(&turned, &new_rows())), together(&placed(&expected, &new_rows())));
        prop_assert_eq!(turned.probabilities(), expected.probabilities());
        let label = |topics: &FittedTopicModel| rows_of(topics, *topics.custom_labels().keys().next().unwrap());
        prop_assert_eq!(label(&turned), label(&expected));
    }
}
