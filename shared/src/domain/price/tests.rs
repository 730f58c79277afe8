use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

fn price(input: i64, output: i64) -> Price {
    let rates = Rates { input, output, cache_read: input / 2, ..Rates::default() };
    Price { id: "test@1".to_owned(), rates, ..Price::default() }
}

fn usage(uncached: u64, output: u64) -> TokenUsage {
    TokenUsage { uncached, output, ..TokenUsage::default() }
}

/// The price of a model whose inputs above 200,000 tokens cost twice as much, and whose batches
/// cost half.
fn tiered() -> Price {
    let twice = Rates { input: 2_000, output: 20_000, cache_read: 200, ..Rates::default() };
    let half = Rates { input: 500, output: 5_000, cache_read: 50, ..Rates::default() };
    Price {
        rates: Rates { input: 1_000, output: 10_000, cache_read: 100, ..Rates::default() },
        long_context: Some(LongContext { above_tokens: 200_000, rates: twice }),
        batch: Some(BatchPrice {
            rates: half,
            long_context: Some(LongContext {
                above_tokens: 200_000,
                rates: Rates { input: 1_000, output: 10_000, cache_read: 100, ..Rates::default() },
            }),
        }),
        ..Price::default()
    }
}

#[test]
fn a_cost_is_rounded_up_once() {
    // 1 token at $0.0375 per million is 37.5 nano-dollars.
    assert_eq!(price(37_500, 0).cost(&usage(1, 0)), Ok(NanoUsd::from_nano(38)));
    assert_eq!(price(2_500_000, 10_000_000).cost(&usage(1000, 500)), Ok(NanoUsd::from_nano(7_500_000)));
}

#[test]
fn a_cost_that_does_not_fit_is_refused() {
    assert_eq!(price(i64::MAX, 0).cost(&usage(u64::MAX, 0)), Err(MoneyError::Overflow));
}

#[test]
fn the_whole_request_has_the_long_rates_from_the_first_token_above_the_threshold() {
    let cost = |uncached, cache_read| {
        let usage = TokenUsage { uncached, cache_read, output: 10, ..TokenUsage::default() };
        tiered().cost(&usage).expect("small").nano()
    };
    assert_eq!(cost(200_000, 0), 200_000 + 100);
    assert_eq!(cost(200_001, 0), 2 * 200_001 + 200);
    // What was read from the cache counts as input.
    assert_eq!(cost(100_000, 100_000), 100_000 + 10_000 + 100);
    assert_eq!(cost(100_000, 100_001), 200_000 + 20_001 + 200);
}

#[test]
fn only_an_attempt_in_a_batch_has_the_batch_rates() {
    let cost = |service, tokens| tiered().cost_as(service, &usage(tokens, 10)).expect("small").nano();
    assert_eq!((cost(Service::Direct, 1_000), cost(Service::Batch, 1_000)), (1_100, 550));
    assert_eq!((cost(Service::Direct, 300_000), cost(Service::Batch, 300_000)), (600_200, 300_100));
    assert_eq!(tiered().cost(&usage(1_000, 10)), tiered().cost_as(Service::Direct, &usage(1_000, 10)));
    let without = Price { batch: None, ..tiered() };
    assert_eq!(without.cost_as(Service::Batch, &usage(1_000, 10)), tiered().cost(&usage(1_000, 10)));
}

#[test]
fn reasoning_has_a_rate_of_its_own_or_that_of_output() {
    let thought = TokenUsage { output: 100, reasoning: 60, ..TokenUsage::default() };
    let own = Rates { output: 1_000, reasoning_output: Some(3_000), ..Rates::default() };
    assert_eq!(own.cost(&thought), Ok(NanoUsd::from_nano(40 + 3 * 60)));
    let same = Rates { reasoning_output: None, ..own };
    assert_eq!(same.cost(&thought), Ok(NanoUsd::from_nano(100)));
    // A provider that counts more reasoning than output is charged for the output alone.
    let absurd = TokenUsage { reasoning: 1_000, ..thought };
    assert_eq!(own.cost(&absurd), Ok(NanoUsd::from_nano(3 * 100)));
}

prop_compose! {
    fn rates()(of in vec(0..2_000_000_000_i64, 7), reasoning_output in option::of(0..2_000_000_000_i64)) -> Rates {
        Rates {
            input: of[0], cache_read: of[1], cache_write_5m: of[2], cache_write_1h: of[3], audio: of[4],
            image: of[5], output: of[6], reasoning_output,
        }
    }
}

prop_compose! {
    fn tier()(above_tokens in 1..1_000_000_u64, rates in rates()) -> LongContext {
        LongContext { above_tokens, rates }
    }
}

prop_compose! {
    fn prices()(
        rates in rates(), long_context in option::of(tier()),
        batch in option::of((rates(), option::of(tier()))),
    ) -> Price {
        let batch = batch.map(|(rates, long_context)| BatchPrice { rates, long_context });
        Price { rates, long_context, batch, ..Price::default() }
    }
}

prop_compose! {
    fn usages()(of in vec(0..300_000_u64, 7), reasoning in 0..400_000_u64) -> TokenUsage {
        TokenUsage {
            uncached: of[0], cache_read: of[1], cache_write_5m: of[2], cache_write_1h: of[3], audio: of[4],
            image: of[5], output: of[6], reasoning,
        }
    }
}

/// The cost by another road: token by token class in pico-dollars, and the least whole number of
/// nano-dollars that is not below it, found by comparing products.
fn oracle(price: &Price, service: Service, usage: &TokenUsage) -> i128 {
    let input: u128 = [
        usage.uncached,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.audio,
        usage.image,
    ]
    .iter()
    .map(|tokens| u128::from(*tokens))
    .sum();
    let (rates, tier) = match (service, price.batch) {
        (Service::Batch, Some(batch)) => (batch.rates, batch.long_context),
        _ => (price.rates, price.long_context),
    };
    let rates = match tier {
        Some(tier) if input > u128::from(tier.above_tokens) => tier.rates,
        _ => rates,
    };
    let shown = i128::from(usage.output) - i128::from(usage.reasoning).min(i128::from(usage.output));
    let hidden = i128::from(usage.output) - shown;
    let pico = i128::from(usage.uncached) * i128::from(rates.input)
        + i128::from(usage.cache_read) * i128::from(rates.cache_read)
        + i128::from(usage.cache_write_5m) * i128::from(rates.cache_write_5m)
        + i128::from(usage.cache_write_1h) * i128::from(rates.cache_write_1h)
        + i128::from(usage.audio) * i128::from(rates.audio)
        + i128::from(usage.image) * i128::from(rates.image)
        + shown * i128::from(rates.output)
        + hidden * i128::from(rates.reasoning_output.unwrap_or(rates.output));
    let floor = pico / 1000;
    if floor * 1000 == pico { floor } else { floor + 1 }
}

proptest! {
    #[test]
    fn a_cost_is_that_of_exact_arithmetic(price in prices(), usage in usages(), batch: bool) {
        let service = if batch { Service::Batch } else { Service::Direct };
        let cost = price.cost_as(service, &usage).expect("fits").nano();
        prop_assert_eq!(i128::from(cost), oracle(&price, service, &usage));
    }

    #[test]
    fn cost_is_monotone_and_splitting_an_attempt_costs_at_most_one_nano_more(
        rate in 0..100_000_000_i64, a in 0..10_000_000_u64, b in 0..10_000_000_u64,
    ) {
        let price = price(rate, 0);
        let cost = |tokens| price.cost(&usage(tokens, 0)).expect("small").nano();
        prop_assert!(cost(a) <= cost(a + b));
        prop_assert!(cost(a) + cost(b) - 1 <= cost(a + b));
        prop_assert!(cost(a + b) <= cost(a) + cost(b));
    }
}
