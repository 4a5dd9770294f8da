//! Labels beside each other on a line, without overlap.

/// Where labels go that want to be at `wanted`: `apart` pixels from each other, from `range.0` to `range.1`, as near to
/// where they want to be as possible (least squares: the pool-adjacent-violators algorithm). If there is no room for all,
/// they are closer together. The order of equal wishes is that of the labels.
pub(super) fn label_places(wanted: &[f64], apart: f64, (low, high): (f64, f64)) -> Vec<f64> {
    let steps = wanted.len().saturating_sub(1) as f64;
    let apart = if steps > 0.0 { apart.min((high - low).max(0.0) / steps) } else { apart };
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let wish = |label: usize| wanted.get(label).copied().filter(|wish| wish.is_finite()).unwrap_or(low);
    order.sort_by(|&a, &b| wish(a).total_cmp(&wish(b)).then(a.cmp(&b)));
    // Without the gaps, places only have to ascend. A pool has the sum of its wishes and their number.
    let mut pools: Vec<(f64, f64)> = Vec::new();
    for (place, &label) in order.iter().enumerate() {
        let mut pool = (wish(label) - apart * place as f64, 1.0);
        while let Some(last) = pools.pop_if(|last| last.0 / last.1 >= pool.0 / pool.1) {
            pool = (pool.0 + last.0, pool.1 + last.1);
        }
        pools.push(pool);
    }
    let most = (high - apart * steps).max(low);
    let without_gaps = pools.iter().flat_map(|&(sum, size)| vec![(sum / size).clamp(low, most); size as usize]);
    let mut places = vec![low; wanted.len()];
    for ((place, &label), at) in order.iter().enumerate().zip(without_gaps) {
        if let Some(slot) = places.get_mut(label) {
            *slot = at + apart * place as f64;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_that_overlap_are_moved_apart_evenly() {
        assert_eq!(label_places(&[50.0, 50.0], 10.0, (0.0, 100.0)), [45.0, 55.0]);
        assert_eq!(label_places(&[90.0, 10.0, 91.0], 10.0, (0.0, 100.0)), [85.5, 10.0, 95.5]);
        assert_eq!(label_places(&[0.0, 1.0], 10.0, (0.0, 100.0)), [0.0, 10.0]);
        assert_eq!(label_places(&[99.0, 100.0], 10.0, (0.0, 100.0)), [90.0, 100.0]);
        assert_eq!(label_places(&[1.0; 3], 10.0, (0.0, 8.0)), [0.0, 4.0, 8.0]);
        assert_eq!(label_places(&[f64::NAN], 10.0, (0.0, 8.0)), [0.0]);
        assert!(label_places(&[], 10.0, (0.0, 8.0)).is_empty());
    }

    proptest! {
        #[test]
        fn labels_never_overlap_and_stay_inside(wanted in prop::collection::vec(-50.0..150.0_f64, 1..11)) {
            let places = label_places(&wanted, 10.0, (0.0, 100.0));
            for (a, (place, wish)) in places.iter().zip(&wanted).enumerate() {
                prop_assert!((-1e-9..=100.0 + 1e-9).contains(place));
                for (other, other_wish) in places.iter().zip(&wanted).skip(a + 1) {
                    prop_assert!((place - other).abs() >= 10.0 - 1e-9, "{places:?}");
                    prop_assert!(wish == other_wish || (wish < other_wish) == (place < other));
                }
            }
        }
    }
}
