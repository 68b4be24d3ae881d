// Figures are ratios of contenders that take turns in one run: on a noisy machine only neighbours can be compared.
const sorted = (values) => [...values].sort((a, b) => a - b);
const quantile = (values, q) => sorted(values)[Math.min(values.length - 1, Math.floor(q * values.length))];
const median = (values) => quantile(values, 0.5);

/**
 * @param contenders name → async function that answers its cost (any unit, the same for all); the first is the limit
 * @param rounds how often each has its turn; the order turns around each time
 * @returns per name: median cost, and the median of the rounds' ratios limit / cost (1: as cheap as the limit)
 */
export async function compare(contenders, rounds) {
  const names = Object.keys(contenders);
  const seen = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await contenders[name](); // Warm.
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed()) seen[name].push(await contenders[name]());
  const [limit] = names;
  return Object.fromEntries(
    names.map((name) => [
      name,
      { cost: median(seen[name]), ratio: median(seen[name].map((cost, round) => seen[limit][round] / cost)) },
    ]),
  );
}
