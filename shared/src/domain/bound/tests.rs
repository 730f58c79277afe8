use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::price::{LongContext, ModelLimits};
use super::*;

fn gpt_4o() -> Price {
    let rates = Rates {
        input: 2_500_000,
        cache_read: 1_250_000,
        image: 2_500_000,
        output: 10_000_000,
        ..Rates::default()
    };
    let limits =
        ModelLimits { context_window: 128_000, max_output_tokens: 16_384, image_tokens_max: Some(1445) };
    Price { id: "openai/gpt-4o@1".to_owned(), rates, limits, ..Price::default() }
}

const SIZE: RequestSize =
    RequestSize { input_bytes: 1000, images: 0, choices: 1, max_output_tokens: None, cache_points: false };

fn amount(price: &Price, size: &RequestSize) -> i64 {
    bound(price, size, None).expect("bounded").amount.nano()
}

#[test]
fn without_a_callers_limit_the_hard_limit_caps_the_output() {
    let limit = NanoUsd::from_nano(50_000_000);
    let bound = bound(&gpt_4o(), &SIZE, Some(limit)).expect("fits");
    assert_eq!(bound.max_output_tokens, 4750);
    assert_eq!(bound.amount, limit);
}

#[test]
fn a_callers_limit_that_could_pass_the_hard_limit_is_refused_with_the_estimate() {
    let size = RequestSize { max_output_tokens: Some(10_000), choices: 4, ..SIZE };
    let refused = bound(&gpt_4o(), &size, Some(NanoUsd::from_nano(100_000_000)));
    assert!(
        matches!(refused, Err(BoundError::OverLimit { estimate, .. }) if estimate == NanoUsd::from_nano(402_500_000))
    );
}

#[test]
fn images_are_never_free() {
    let size = RequestSize { images: 2, max_output_tokens: Some(1), ..SIZE };
    let with = amount(&gpt_4o(), &size);
    let without = amount(&gpt_4o(), &RequestSize { images: 0, ..size });
    assert_eq!(with - without, 2 * 1445 * 2500);
    let mut unbounded = gpt_4o();
    unbounded.limits.image_tokens_max = None;
    assert_eq!(bound(&unbounded, &size, None), Err(BoundError::ImagesUnbounded));
}

#[test]
fn an_image_between_cache_points_can_cost_a_cache_write() {
    let mut price = gpt_4o();
    price.rates.cache_write_1h = 5_000_000;
    let size = RequestSize { input_bytes: 0, images: 1, max_output_tokens: Some(1), ..SIZE };
    let marked = RequestSize { cache_points: true, ..size };
    assert_eq!(amount(&price, &marked) - amount(&price, &size), 1445 * 2500);
}

#[test]
fn cache_writes_count_where_they_are_asked_for_or_happen_unasked() {
    let mut price = gpt_4o();
    price.rates.cache_write_5m = 3_125_000;
    let size = RequestSize { max_output_tokens: Some(1), ..SIZE };
    let plain = amount(&price, &size);
    let marked = amount(&price, &RequestSize { cache_points: true, ..size });
    price.writes_cache_unasked = true;
    assert_eq!((marked - plain, amount(&price, &size)), (1000 * 625, marked));
}

#[test]
fn the_long_rates_are_held_only_when_the_input_can_pass_their_threshold() {
    let mut price = gpt_4o();
    let twice = Rates { input: 5_000_000, output: 20_000_000, image: 5_000_000, ..price.rates };
    price.long_context = Some(LongContext { above_tokens: 1_000, rates: twice });
    let size = RequestSize { max_output_tokens: Some(10), ..SIZE };
    assert_eq!(amount(&price, &size), 1000 * 2500 + 10 * 10_000);
    let longer = RequestSize { input_bytes: 1001, ..size };
    assert_eq!(amount(&price, &longer), 1001 * 5000 + 10 * 20_000);
    // Images count towards the threshold.
    let pictured = RequestSize { images: 1, ..size };
    assert_eq!(amount(&price, &pictured), (1000 + 1445) * 5000 + 10 * 20_000);
    // A window that ends at the threshold keeps every input below it.
    price.limits.context_window = 1_000;
    assert_eq!(amount(&price, &longer), 1000 * 2500 + 10 * 10_000);
}

#[test]
fn a_long_rate_that_is_cheaper_lowers_no_hold() {
    let mut price = gpt_4o();
    let cheaper = Rates { input: 1, output: 20_000_000, ..Rates::default() };
    price.long_context = Some(LongContext { above_tokens: 10, rates: cheaper });
    let size = RequestSize { max_output_tokens: Some(10), ..SIZE };
    assert_eq!(amount(&price, &size), 1000 * 2500 + 10 * 20_000);
}

#[test]
fn reasoning_is_held_at_its_own_rate_where_that_is_dearer() {
    let mut price = gpt_4o();
    price.rates.reasoning_output = Some(40_000_000);
    let size = RequestSize { max_output_tokens: Some(10), ..SIZE };
    assert_eq!(amount(&price, &size), 1000 * 2500 + 10 * 40_000);
}

prop_compose! {
    fn rates()(of in vec(0..100_000_000_i64, 7), reasoning_output in option::of(0..100_000_000_i64)) -> Rates {
        Rates {
            input: of[0], cache_read: of[1], cache_write_5m: of[2], cache_write_1h: of[3], audio: of[4],
            image: of[5], output: of[6], reasoning_output,
        }
    }
}

prop_compose! {
    fn prices()(
        rates in rates(), tier in option::of((1..250_000_u64, rates())), writes_cache_unasked: bool, reasoning: bool,
        context_window in 20_000..300_000_u64, max_output_tokens in 1..20_000_u64, per_image in 1..5_000_u64,
    ) -> Price {
        let long_context = tier.map(|(above_tokens, rates)| LongContext { above_tokens, rates });
        let limits = ModelLimits { context_window, max_output_tokens, image_tokens_max: Some(per_image) };
        Price { rates, long_context, limits, reasoning, writes_cache_unasked, ..Price::default() }
    }
}

prop_compose! {
    fn sizes()(
        input_bytes in 0..300_000_u64, images in 0..20_u64, choices in 1..4_u64,
        max_output_tokens in option::of(1..30_000_u64), cache_points: bool,
    ) -> RequestSize {
        RequestSize { input_bytes, images, choices, max_output_tokens, cache_points }
    }
}

/// Any usage that a provider can report for a request of this size under this bound: `shares` says,
/// in parts of 1,000, how much of what is left each class takes.
fn usage(price: &Price, size: &RequestSize, bound: &Bound, shares: &[u64]) -> TokenUsage {
    let mut shares = shares.iter();
    let mut part = |of: u64| of * shares.next().expect("enough shares") / 1_000;
    let images = size.images * price.limits.image_tokens_max.unwrap_or(0);
    let text = part(size.input_bytes.min(price.limits.context_window));
    let seen = part(images);
    // Told apart or not, an image is input: what is not counted as one lies in the other classes.
    let image = part(seen);
    let mut left = text + (seen - image);
    let mut take = |of: u64| {
        left -= of;
        of
    };
    let whole = text + (seen - image);
    let cache_read = take(part(whole));
    let writes = size.cache_points || price.writes_cache_unasked;
    let cache_write_5m = if writes { take(part(whole - cache_read)) } else { 0 };
    let cache_write_1h = if writes { take(part(whole - cache_read - cache_write_5m)) } else { 0 };
    let output = part(bound.max_output_tokens * size.choices);
    let reasoning = part(output);
    TokenUsage {
        uncached: left,
        cache_read,
        cache_write_5m,
        cache_write_1h,
        image,
        output,
        reasoning,
        audio: 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_usage_within_the_bound_costs_more_than_the_hold(
        price in prices(), size in sizes(), shares in vec(prop_oneof![0..=1_000_u64, Just(1_000)], 9),
        hard_limit in option::of(1..5_000_000_000_i64),
    ) {
        let limit = hard_limit.map(NanoUsd::from_nano);
        let bound = match bound(&price, &size, limit) {
            Err(BoundError::OverLimit { estimate, limit }) => {
                prop_assert!(estimate > limit);
                return Ok(());
            }
            bound => bound.expect("bounded"),
        };
        prop_assert!(limit.is_none_or(|limit| bound.amount <= limit));
        let usage = usage(&price, &size, &bound, &shares);
        prop_assert!(price.cost(&usage).expect("small") <= bound.amount, "{usage:?}");
        prop_assert!(dearest(&price, &size, usage.output).expect("small") <= bound.amount);
    }

    #[test]
    fn a_tier_out_of_reach_changes_no_hold(
        price in prices(), size in sizes(), rates in rates(), beyond in 0..1_000_u64,
    ) {
        let within = size.input_bytes + size.images * price.limits.image_tokens_max.unwrap_or(0);
        let tier = LongContext { above_tokens: within + beyond, rates };
        let tiered = Price { long_context: Some(tier), ..price.clone() };
        let flat = Price { long_context: None, ..price };
        prop_assert_eq!(bound(&tiered, &size, None), bound(&flat, &size, None));
    }
}
