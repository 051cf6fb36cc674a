//! A list that needs the heap only when it grows past what is usual.

/// Up to `N` items in place, the rest on the heap.
pub(crate) struct Scratch<T, const N: usize> {
    /// Options, since to make an empty one costs a fraction of making an item.
    inline: [Option<T>; N],
    len: usize,
    spilled: Vec<T>,
}

impl<T, const N: usize> Scratch<T, N> {
    pub(crate) fn new() -> Self {
        Self {
            inline: [const { None }; N],
            len: 0,
            spilled: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.inline.get_mut(self.len) {
            Some(place) => *place = Some(item),
            None => self.spilled.push(item),
        }
        self.len += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        // The first `None` ends what is in place.
        self.inline
            .iter()
            .map_while(Option::as_ref)
            .chain(&self.spilled)
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        match index.checked_sub(N) {
            None => self.inline.get_mut(index)?.as_mut(),
            Some(index) => self.spilled.get_mut(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stay_in_order_across_the_border() {
        let mut list = Scratch::<_, 3>::new();
        assert!(list.get_mut(0).is_none());
        for n in 0..8 {
            list.push(n);
            assert!(list.iter().copied().eq(0..=n));
        }
        *list.get_mut(2).unwrap() = 20;
        *list.get_mut(3).unwrap() = 30;
        assert!(list.get_mut(8).is_none());
        assert!(list.iter().copied().eq([0, 1, 20, 30, 4, 5, 6, 7]));
        assert_eq!(list.iter().count(), 8);
    }
}
