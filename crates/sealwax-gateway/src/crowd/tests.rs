use std::sync::Arc;

use super::*;
use crate::clients::Clients;

fn crowd(descriptors: usize) -> (Rc<Crowd>, Arc<Clients>) {
    (Crowd::new(Capacity::new(descriptors, 1)), Clients::new())
}

fn fill(crowd: &Rc<Crowd>, clients: &Arc<Clients>, count: usize) -> Vec<Open> {
    let one = |_| crowd.serve(clients.enter([192, 0, 2, 1].into()));
    (0..count).map(one).collect()
}

fn outlook(open: &Open) -> Outlook {
    open.outlook(&Context::from_waker(Waker::noop()))
}

#[test]
fn thresholds_stand_in_their_order() {
    for (descriptors, workers) in [(16, 1), (68, 1), (240, 2), (16 * 1024, 64)] {
        let capacity = Capacity::new(descriptors, workers);
        let Capacity {
            limit,
            near,
            low,
            reserve,
            share,
        } = capacity;
        assert!(low <= near && near <= limit, "{capacity:?}");
        assert_eq!(limit + reserve, descriptors, "{capacity:?}");
        assert_eq!(share, limit * workers / 8, "{capacity:?}");
    }
}

#[test]
fn room_is_made_of_what_is_at_rest_and_never_of_what_is_in_use() {
    let (crowd, clients) = crowd(64);
    let Capacity { limit, low, .. } = crowd.capacity;
    let all = fill(&crowd, &clients, limit);
    // In use, but for the last ten.
    let idle = limit - 10;
    let mut busy: Vec<_> = all.iter().map(|open| open.activity().begin()).collect();
    assert!(!crowd.make_room(), "all are in use");
    for (which, busy) in busy.drain(idle..).enumerate() {
        std::thread::sleep(Duration::from_millis(2 * which as u64));
        drop(busy);
    }
    crowd.looked.set(Some(Instant::now()));
    assert!(!crowd.make_room(), "it has just looked");
    crowd.looked.set(None);
    assert!(crowd.make_room());
    let leaving = |from: usize, to: usize| {
        let places = all.get(from..to).unwrap().iter();
        places
            .filter(|open| outlook(open) == Outlook::Leave)
            .count()
    };
    let surplus = limit - low;
    assert!((1..10).contains(&surplus));
    assert_eq!(leaving(0, idle), 0);
    assert_eq!(leaving(idle, idle + surplus), surplus, "the oldest leave");
    assert_eq!(leaving(idle + surplus, limit), 0);
    assert!(crowd.is_short() && crowd.is_full().is_some());
    drop(all);
    assert_eq!((crowd.len(), crowd.leaving.get()), (0, 0));
    assert!(!crowd.is_short());
}

#[test]
fn who_begins_slowly_leaves_after_who_rests() {
    let (crowd, clients) = crowd(64);
    let limit = crowd.capacity.limit;
    let all = fill(&crowd, &clients, limit);
    assert!(!crowd.make_room(), "none has been there for long");
    std::thread::sleep(SLOW + Duration::from_millis(20));
    drop(all[3].activity().begin());
    crowd.looked.set(None);
    assert!(crowd.make_room());
    assert_eq!(outlook(&all[3]), Outlook::Leave);
    let leaving = all.iter().filter(|open| outlook(open) == Outlook::Leave);
    assert_eq!(leaving.count(), limit - crowd.capacity.low);
}

#[test]
fn the_reserve_is_bounded_in_number_and_in_time() {
    let (crowd, clients) = crowd(64);
    let Capacity { limit, reserve, .. } = crowd.capacity;
    let all = fill(&crowd, &clients, limit);
    let why = crowd.is_full().unwrap();
    let told: Vec<Open> = std::iter::from_fn(|| crowd.turn_away(why)).collect();
    assert_eq!(told.len(), reserve);
    assert!(told.iter().all(|open| open.overload() == Some(why)));
    drop(told);
    assert_eq!(crowd.len(), all.len());
    let told = std::iter::from_fn(|| crowd.turn_away(why).map(drop));
    assert_eq!(told.count() + reserve, TOLD_A_SECOND);
    assert!(crowd.may_tell(Instant::now() + Duration::from_secs(1)));
}
