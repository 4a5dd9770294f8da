//! Sums by index, few of which are in use at a time.

/// Sums of positive values by index.
pub(crate) struct SparseSums<T> {
    sums: Vec<T>,
    /// The indices in use come first, in the order in which they were first added.
    indices: Vec<u32>,
    used: usize,
}

impl<T: Copy + Default + PartialEq + std::ops::AddAssign> SparseSums<T> {
    /// Sums for the indices below `count`.
    pub(crate) fn new(count: usize) -> Self {
        SparseSums { sums: vec![T::default(); count], indices: vec![0; count + 1], used: 0 }
    }

    /// Adds a positive value.
    pub(crate) fn add(&mut self, index: u32, value: T) {
        let sum = &mut self.sums[index as usize];
        // Without a branch on the sum, which would be mispredicted often. There is always a free place, since a sum in
        // use is not 0.
        if let Some(next) = self.indices.get_mut(self.used) {
            *next = index;
            self.used += usize::from(*sum == T::default());
            *sum += value;
        }
    }

    /// The sum of an index.
    pub(crate) fn of(&self, index: u32) -> T {
        self.sums[index as usize]
    }

    /// The indices in use, in the order in which they were first added.
    pub(crate) fn used(&self) -> &[u32] {
        &self.indices[..self.used]
    }

    /// Resets all sums to 0.
    pub(crate) fn clear(&mut self) {
        for &index in &self.indices[..self.used] {
            self.sums[index as usize] = T::default();
        }
        self.used = 0;
    }

    /// The indices in use and their sums, which are reset to 0.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u32, T)> + '_ {
        let used = std::mem::take(&mut self.used);
        let sums = &mut self.sums;
        self.indices[..used].iter().map(|&index| (index, std::mem::take(&mut sums[index as usize])))
    }
}
