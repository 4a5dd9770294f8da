//! Where labels go: their boxes are disjoint, and the most important labels are placed first.

/// A place in a drawing, in pixels.
pub(in crate::display) type At = (f64, f64);

/// Space between boxes, and between a mark and its label.
const GAP: f64 = 4.0;

/// The farthest that a label is from its mark, as a share of the area's diagonal.
const FARTHEST: f64 = 0.12;

/// The side of the cells in which marks are counted.
const CELL: f64 = 3.0;

/// The most marks that a label beside its own covers.
const FEW: f64 = 8.0;

/// With more labels, whether others' marks are nearer is not looked at.
const MARKS: usize = 2_000;

/// Space between labels in a column.
const PITCH: f64 = 5.0;

/// How often leaders that cross are exchanged.
const ROUNDS: usize = 1000;

/// A box with its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    fn around((x, y): At, width: f64, height: f64) -> Self {
        Area { x: x - width / 2.0, y: y - height / 2.0, width, height }
    }

    fn contains(&self, other: &Area) -> bool {
        other.x >= self.x && other.y >= self.y && other.right() <= self.right() && other.bottom() <= self.bottom()
    }

    pub(super) fn overlaps(&self, other: &Area) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    fn widened(&self, by: f64) -> Self {
        Area { x: self.x - by, y: self.y - by, width: self.width + 2.0 * by, height: self.height + 2.0 * by }
    }

    /// The point of the box that is nearest to `(x, y)`.
    fn nearest(&self, (x, y): At) -> At {
        (x.clamp(self.x, self.right()), y.clamp(self.y, self.bottom()))
    }

    /// Whether the line between two places touches the box.
    pub(super) fn meets(&self, (x1, y1): At, (x2, y2): At) -> bool {
        let (dx, dy) = (x2 - x1, y2 - y1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let sides = [(-dx, x1 - self.x), (dx, self.right() - x1), (-dy, y1 - self.y), (dy, self.bottom() - y1)];
        for (toward, room) in sides {
            if toward == 0.0 {
                if room < 0.0 {
                    return false;
                }
            } else if toward < 0.0 {
                enter = enter.max(room / toward);
            } else {
                leave = leave.min(room / toward);
            }
        }
        enter <= leave
    }
}

/// A label to be placed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wanted {
    /// Its mark.
    pub(super) at: At,
    /// The radius of the mark.
    pub(super) reach: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// Whether it may cover its mark.
    pub(super) over: Over,
}

/// When a label covers its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// If it can.
    First,
    /// If there is no room beside it.
    Last,
    Never,
}

/// A label's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    pub(super) area: Area,
    /// The line from the mark to the label, if it is not beside it.
    pub(super) leader: Option<(At, At)>,
}

/// How crowded each part of an area is.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    across: usize,
    down: usize,
    /// Sums over all cells above and to the left.
    sums: Vec<f64>,
}

impl Crowd {
    /// Counts `marks` in an area of this width and height from (0, 0).
    pub(super) fn of(marks: impl Iterator<Item = At>, width: f64, height: f64) -> Self {
        let cells = |length: f64| (length.max(CELL) / CELL).ceil().min(10_000.0) as usize;
        let (across, down) = (cells(width), cells(height));
        let mut sums = vec![0.0; (across + 1) * (down + 1)];
        for (x, y) in marks.filter(|(x, y)| *x >= 0.0 && *y >= 0.0) {
            let (column, row) = ((x / CELL) as usize, (y / CELL) as usize);
            if column < across
                && row < down
                && let Some(cell) = sums.get_mut((row + 1) * (across + 1) + column + 1)
            {
                *cell += 1.0;
            }
        }
        for row in 1..=down {
            let mut in_row = 0.0;
            for column in 1..=across {
                let at = row * (across + 1) + column;
                in_row += sums.get(at).copied().unwrap_or_default();
                let above = sums.get(at - across - 1).copied().unwrap_or_default();
                if let Some(sum) = sums.get_mut(at) {
                    *sum = in_row + above;
                }
            }
        }
        Crowd { across, down, sums }
    }

    /// The number of marks in the cells that the box touches.
    pub(super) fn inside(&self, area: &Area) -> f64 {
        let low = |at: f64, most: usize| ((at / CELL).floor().max(0.0) as usize).min(most);
        let high = |at: f64, most: usize| ((at / CELL).ceil().max(0.0) as usize).min(most);
        let (left, right) = (low(area.x, self.across), high(area.right(), self.across));
        let (top, bottom) = (low(area.y, self.down), high(area.bottom(), self.down));
        let sum = |row: usize, column: usize| self.sums.get(row * (self.across + 1) + column).copied().unwrap_or(0.0);
        sum(bottom, right) - sum(top, right) - sum(bottom, left) + sum(top, left)
    }
}

/// Places labels in `area`, the first of them first: over the mark if it may, else at one of eight positions around it
/// where nothing is and no other mark is nearer, else in the nearest place where nothing is, with a line to the mark, else
/// at the least crowded position around it, unless it would cover many marks there. `None` for a label that fits nowhere.
/// Boxes are disjoint, and no line crosses a box or another line.
pub(super) fn placed(wanted: &[Wanted], area: Area, crowd: &Crowd) -> Vec<Option<Placed>> {
    let marks = if wanted.len() > MARKS { Vec::new() } else { wanted.iter().map(|label| label.at).collect() };
    let mut board = Board { area, crowd, marks, boxes: Vec::new(), lines: Vec::new() };
    wanted.iter().map(|label| board.place(label)).collect()
}

struct Board<'a> {
    area: Area,
    crowd: &'a Crowd,
    /// The marks of all labels.
    marks: Vec<At>,
    boxes: Vec<Area>,
    lines: Vec<(At, At)>,
}

impl Board<'_> {
    fn place(&mut self, label: &Wanted) -> Option<Placed> {
        let sane = [label.at.0, label.at.1, label.width, label.height].iter().all(|value| value.is_finite());
        if !sane || label.width > self.area.width || label.height > self.area.height {
            return None;
        }
        let over = |when: Over| if label.over == when { self.over(label) } else { None };
        let placed = over(Over::First)
            .or_else(|| self.beside(label, |crowd, area| crowd <= 0.0 && self.is_nearest(label, area)))
            .or_else(|| self.away(label))
            .or_else(|| over(Over::Last))
            // A label may cover others' marks if it would cover its own, too.
            .or_else(|| self.beside(label, |crowd, _| label.over != Over::Never || crowd <= FEW))?;
        self.boxes.push(placed.area);
        self.lines.extend(placed.leader);
        Some(placed)
    }

    fn over(&self, label: &Wanted) -> Option<Placed> {
        let area = Area::around(label.at, label.width, label.height);
        self.is_free(&area).then_some(Placed { area, leader: None })
    }

    /// The least crowded of the positions around the mark, nearer ones first.
    fn beside(&self, label: &Wanted, is_fine: impl Fn(f64, &Area) -> bool) -> Option<Placed> {
        [label.reach, label.reach + label.height].into_iter().find_map(|reach| {
            let free = positions(label, reach).into_iter().filter(|area| self.is_free(area));
            let ranked = free.map(|area| (self.crowd.inside(&area.widened(-1.0)), area));
            let best = ranked.filter(|(crowd, area)| is_fine(*crowd, area)).fold(
                None,
                |best: Option<(f64, Area)>, (crowd, area)| match best {
                    Some((least, _)) if least <= crowd => best,
                    _ => Some((crowd, area)),
                },
            );
            best.map(|(_, area)| Placed { area, leader: None })
        })
    }

    /// The nearest place without marks.
    fn away(&self, label: &Wanted) -> Option<Placed> {
        let diagonal = self.area.width.hypot(self.area.height);
        let (step_x, step_y) = ((label.width / 3.0).max(8.0), (label.height / 2.0).max(4.0));
        let mut slots = Vec::new();
        let mut y = self.area.y;
        while y + label.height <= self.area.bottom() {
            let mut x = self.area.x;
            while x + label.width <= self.area.right() {
                let slot = Area { x, y, width: label.width, height: label.height };
                let (to_x, to_y) = slot.nearest(label.at);
                let distance = (to_x - label.at.0).hypot(to_y - label.at.1);
                if distance > label.reach + GAP && distance < FARTHEST * diagonal {
                    slots.push((distance, slot));
                }
                x += step_x;
            }
            y += step_y;
        }
        slots.sort_by(|a, b| a.0.total_cmp(&b.0));
        slots.into_iter().find_map(|(_, slot)| {
            if self.crowd.inside(&slot) > 0.0 || !self.is_free(&slot) {
                return None;
            }
            let leader = leader(label, &slot);
            let crosses = self.boxes.iter().any(|other| other.widened(1.0).meets(leader.0, leader.1))
                || self.lines.iter().any(|&other| cross(leader, other));
            (!crosses).then_some(Placed { area: slot, leader: Some(leader) })
        })
    }

    /// Whether no other mark is nearer to the box than that of the label: it would be taken for its own.
    fn is_nearest(&self, label: &Wanted, area: &Area) -> bool {
        let distance = |mark: At| {
            let (x, y) = area.nearest(mark);
            (x - mark.0).hypot(y - mark.1)
        };
        let own = distance(label.at);
        self.marks.iter().all(|&mark| distance(mark) >= own)
    }

    fn is_free(&self, area: &Area) -> bool {
        let roomy = area.widened(GAP / 2.0);
        self.area.contains(area)
            && !self.boxes.iter().any(|other| other.widened(GAP / 2.0).overlaps(&roomy))
            && !self.lines.iter().any(|&(from, to)| roomy.meets(from, to))
    }
}

/// Above, below, right, left, and the corners between.
fn positions(label: &Wanted, reach: f64) -> [Area; 8] {
    let (dx, dy) = (label.width / 2.0 + reach + GAP, label.height / 2.0 + reach + GAP);
    let corner = (label.width / 2.0 + reach * 0.71, label.height / 2.0 + reach * 0.71);
    let steps = [
        (0.0, -dy),
        (0.0, dy),
        (dx, 0.0),
        (-dx, 0.0),
        (corner.0, -corner.1),
        (corner.0, corner.1),
        (-corner.0, -corner.1),
        (-corner.0, corner.1),
    ];
    let (x, y) = label.at;
    steps.map(|(dx, dy)| Area::around((x + dx, y + dy), label.width, label.height))
}

/// The line from the edge of the mark to the nearest point of the box.
fn leader(label: &Wanted, area: &Area) -> (At, At) {
    let (x, y) = area.nearest(label.at);
    let (dx, dy) = (x - label.at.0, y - label.at.1);
    let length = dx.hypot(dy).max(1e-9);
    let from = (label.at.0 + dx / length * label.reach, label.at.1 + dy / length * label.reach);
    // It ends just before the text.
    let to = (x - dx / length * 1.5, y - dy / length * 1.5);
    (from, to)
}

/// Whether two lines cross or touch.
pub(super) fn cross((a, b): (At, At), (c, d): (At, At)) -> bool {
    let side = |p: At, q: At, r: At| (q.0 - p.0) * (r.1 - p.1) - (q.1 - p.1) * (r.0 - p.0);
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    let (a_side, b_side) = (side(c, d, a), side(c, d, b));
    c_side * d_side < 0.0 && a_side * b_side < 0.0
}

/// Places the first labels in two columns, `left` and `right` of the marks, each with a line to its mark; as many as fit.
/// Boxes are disjoint, and lines of a column do not cross.
pub(super) fn around(wanted: &[Wanted], left: Area, right: Area) -> Vec<Option<Placed>> {
    let (of_left, of_right) = sides(wanted, &left, &right);
    let mut placed = vec![None; wanted.len()];
    for (labels, column, is_left) in [(of_left, left, true), (of_right, right, false)] {
        for (label, place) in in_column(wanted, &labels, &column, is_left) {
            if let Some(slot) = placed.get_mut(label) {
                *slot = Some(place);
            }
        }
    }
    placed
}

/// The labels of each column: the nearer one, as long as there is room in it.
fn sides(wanted: &[Wanted], left: &Area, right: &Area) -> (Vec<usize>, Vec<usize>) {
    let middle = (left.right() + right.x) / 2.0;
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    let (mut at_left, mut at_right) = (left.height, right.height);
    for (label, Wanted { at, height, .. }) in wanted.iter().enumerate() {
        let needed = height + PITCH;
        let fits = (at_left >= needed, at_right >= needed);
        match (fits, at.0 < middle) {
            ((true, true), true) | ((true, false), _) => {
                of_left.push(label);
                at_left -= needed;
            }
            ((true, true), false) | ((false, true), _) => {
                of_right.push(label);
                at_right -= needed;
            }
            ((false, false), _) => break,
        }
    }
    (of_left, of_right)
}

fn in_column(wanted: &[Wanted], labels: &[usize], column: &Area, is_left: bool) -> Vec<(usize, Placed)> {
    let mut labels: Vec<(usize, &Wanted)> =
        labels.iter().filter_map(|&label| Some((label, wanted.get(label)?))).collect();
    labels.sort_by(|a, b| a.1.at.1.total_cmp(&b.1.at.1).then(a.0.cmp(&b.0)));
    let edge = if is_left { column.right() } else { column.x };
    let mut tops = tops(&labels, column);
    for _ in 0..ROUNDS {
        let line = |number: usize| {
            let (label, top): (&Wanted, f64) = (labels.get(number)?.1, *tops.get(number)?);
            Some((label.at, (edge, top + label.height / 2.0)))
        };
        let pairs = (0..labels.len()).flat_map(|first| (first + 1..labels.len()).map(move |second| (first, second)));
        let crossing = |&(first, second): &(usize, usize)| {
            line(first).zip(line(second)).is_some_and(|(one, other)| cross(one, other))
        };
        let found: Vec<(usize, usize)> = pairs.filter(crossing).collect();
        // Exchanging the ends of lines that cross makes both together shorter, so this comes to an end.
        let Some(&(first, second)) = found.first() else { break };
        labels.swap(first, second);
        tops = self::tops(&labels, column);
    }
    let place = |((number, label), &top): (&(usize, &Wanted), &f64)| {
        let width = label.width.min(column.width);
        let x = if is_left { column.right() - width } else { column.x };
        let area = Area { x, y: top, width, height: label.height };
        (*number, Placed { area, leader: Some((label.at, (edge, top + label.height / 2.0))) })
    };
    labels.iter().zip(&tops).map(place).collect()
}

/// The tops of labels one below the other, as near as possible to their marks, and inside the column.
fn tops(labels: &[(usize, &Wanted)], column: &Area) -> Vec<f64> {
    // Without the space that the labels before take, positions only have to ascend: neighbors that do not are pooled.
    let mut before = 0.0;
    let mut taken = Vec::with_capacity(labels.len());
    let mut pools: Vec<(f64, f64)> = Vec::new();
    for (_, label) in labels {
        let mut pool = (label.at.1 - label.height / 2.0 - before, 1.0);
        while let Some(&(position, count)) = pools.last().filter(|(position, _)| *position > pool.0) {
            pool = ((position * count + pool.0 * pool.1) / (count + pool.1), count + pool.1);
            pools.pop();
        }
        pools.push(pool);
        taken.push(before);
        before += label.height + PITCH;
    }
    let last = column.bottom() - before + PITCH;
    let positions = pools.iter().flat_map(|&(position, count)| std::iter::repeat_n(position, count as usize));
    positions.zip(taken).map(|(position, taken)| position.min(last).max(column.y) + taken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Area = Area { x: 0.0, y: 0.0, width: 1200.0, height: 800.0 };

    /// Numbers between 0 and 1.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as f64 / (1_u64 << 31) as f64
        }

        fn labels(&mut self, count: usize) -> Vec<Wanted> {
            let clumped = self.next() < 0.5;
            let spread = |x: f64| if clumped { 0.45 + 0.1 * x } else { x };
            (0..count)
                .map(|_| Wanted {
                    at: (spread(self.next()) * 1200.0, spread(self.next()) * 800.0),
                    reach: self.next() * 20.0,
                    width: 20.0 + self.next() * 180.0,
                    height: 12.0 + self.next() * 8.0,
                    over: [Over::First, Over::Last, Over::Never][(self.next() * 3.0) as usize],
                })
                .collect()
        }
    }

    fn check(placed: &[Option<Placed>]) {
        let placed: Vec<&Placed> = placed.iter().flatten().collect();
        for (number, a) in placed.iter().enumerate() {
            assert!(PAGE.contains(&a.area), "{a:?}");
            for b in placed.iter().skip(number + 1) {
                assert!(!a.area.overlaps(&b.area), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn boxes_are_disjoint_and_lines_cross_none_of_them() {
        let mut random = Random(1);
        for round in 0..60 {
            let wanted = random.labels(1 + round * 2);
            let marks: Vec<At> = (0..2000).map(|_| (random.next() * 900.0, random.next() * 800.0)).collect();
            let placed = placed(&wanted, PAGE, &Crowd::of(marks.into_iter(), 1200.0, 800.0));
            assert_eq!(placed.len(), wanted.len());
            check(&placed);
            let lines: Vec<(At, At)> = placed.iter().flatten().filter_map(|label| label.leader).collect();
            for (number, &line) in lines.iter().enumerate() {
                assert!(
                    placed
                        .iter()
                        .flatten()
                        .filter(|label| label.leader != Some(line))
                        .all(|label| !label.area.meets(line.0, line.1))
                );
                assert!(lines.iter().skip(number + 1).all(|&other| !cross(line, other)));
            }
        }
    }

    #[test]
    fn columns_are_disjoint_and_their_lines_do_not_cross() {
        let mut random = Random(2);
        let (left, right) = (Area { width: 220.0, ..PAGE }, Area { x: 980.0, width: 220.0, ..PAGE });
        for round in 0..60 {
            let wanted = random.labels(round * 2);
            let placed = around(&wanted, left, right);
            check(&placed);
            let capacity = 2 * (800.0 / (20.0 + PITCH)) as usize - 1;
            assert!(placed.iter().flatten().count() >= wanted.len().min(capacity), "{round}");
            for is_left in [true, false] {
                let of_side = placed.iter().flatten().filter(|label| (label.area.x < 600.0) == is_left);
                let lines: Vec<(At, At)> = of_side.filter_map(|label| label.leader).collect();
                for (number, &line) in lines.iter().enumerate() {
                    assert!(lines.iter().skip(number + 1).all(|&other| !cross(line, other)));
                }
            }
        }
    }

    #[test]
    fn the_first_label_is_over_its_mark_and_one_that_is_too_wide_is_left_out() {
        let label = Wanted { at: (600.0, 400.0), reach: 0.0, width: 100.0, height: 14.0, over: Over::First };
        let crowd = Crowd::of([(600.0, 400.0)].into_iter(), 1200.0, 800.0);
        let wide = Wanted { width: 1300.0, ..label };
        let nowhere = Wanted { at: (f64::NAN, 0.0), ..label };
        let placed = placed(&[label, label, wide, nowhere], PAGE, &crowd);
        assert_eq!(placed[0].map(|label| label.area), Some(Area::around((600.0, 400.0), 100.0, 14.0)));
        assert!(placed[1].is_some_and(|label| label.leader.is_none()));
        assert_eq!(placed[2..], [None, None]);
    }

    #[test]
    fn crowds_are_counted() {
        let crowd = Crowd::of([(10.0, 10.0), (100.0, 50.0), (1199.0, 799.0)].into_iter(), 1200.0, 800.0);
        assert_eq!(crowd.inside(&PAGE), 3.0);
        assert_eq!(crowd.inside(&Area { x: 95.0, y: 45.0, width: 10.0, height: 10.0 }), 1.0);
        assert_eq!(crowd.inside(&Area { x: 300.0, y: 300.0, width: 100.0, height: 100.0 }), 0.0);
    }
}
