-- The fixed set of features as one would write it for this log, knowing that
--   every cancelled order is booked as negated lines under its own number after a C,
--   an order has one customer and one day, and a refund comes after what it takes back.
-- {files} and {cutoff} are filled in by by_hand.py.
with line as (
    select
        customer_id,
        ltrim(order_id, 'C') as order_id,
        ordered_at,
        product_id,
        quantity > 0 as bought,
        cast(round(quantity * unit_price * 100) as bigint) as cents
    from read_parquet('{files}')
    where ordered_at < timestamp '{cutoff}'
),
placed as (
    select
        customer_id,
        order_id,
        cast(min(ordered_at) as date) as day,
        sum(cents) as cents,
        sum(cents) filter (bought) as bought_cents,
        count(*) filter (bought) as lines
    from line
    group by customer_id, order_id
),
every_day as (
    select
        customer_id,
        day,
        sum(cents) as cents,
        count(*) filter (cents > 0) as orders,
        sum(bought_cents) as bought_cents,
        sum(lines) as lines
    from placed
    group by customer_id, day
),
spaced as (
    select
        *,
        cents > 0 as purchase,
        day - lag(day) over (partition by customer_id, cents > 0 order by day) as gap
    from every_day
),
customer as (
    select
        customer_id,
        count(*) filter (purchase) as days,
        min(day) filter (purchase) as first_day,
        max(day) filter (purchase) as last_day,
        cast(sum(orders) filter (purchase) as bigint) as orders,
        sum(cents) as net_cents,
        sum(bought_cents) as bought_cents,
        sum(cents) filter (purchase) as cents,
        arg_min(cents, day) filter (purchase) as first_cents,
        arg_max(gap, day) filter (purchase) as last_gap,
        max(gap) filter (purchase) as longest_gap,
        sum(gap * gap) filter (purchase) as gap_squares,
        coalesce(sum(orders) filter (purchase and day >= date '{cutoff}' - 28), 0) as orders_28d,
        coalesce(sum(orders) filter (purchase and day >= date '{cutoff}' - 90), 0) as orders_90d,
        coalesce(sum(orders) filter (purchase and day >= date '{cutoff}' - 365), 0) as orders_365d,
        coalesce(sum(cents) filter (purchase and day >= date '{cutoff}' - 28), 0) as cents_28d,
        coalesce(sum(cents) filter (purchase and day >= date '{cutoff}' - 90), 0) as cents_90d,
        coalesce(sum(cents) filter (purchase and day >= date '{cutoff}' - 365), 0) as cents_365d,
        count(*) filter (purchase and isodow(day) >= 6) as weekend_days,
        sum(lines) as lines
    from spaced
    group by customer_id
    having count(*) filter (purchase) > 0
),
basket as (
    select customer_id, count(*) as products
    from (select distinct customer_id, product_id from line where bought) -- faster than count(distinct)
    group by customer_id
)
select
    customer_id,
    days - 1 as frequency,
    last_day - first_day as recency,
    date '{cutoff}' - first_day as "T",
    case when days > 1 then (cents - first_cents) / 100 / (days - 1) else 0 end as monetary_value,
    orders as n_orders,
    net_cents / 100 as total_spend,
    cents / 100 / orders as average_order_value,
    date '{cutoff}' - last_day as days_since_last_order,
    (last_day - first_day) / nullif(days - 1, 0) as mean_gap,
    sqrt((days - 1) * gap_squares - power(last_day - first_day, 2)) / (days - 1) as gap_spread,
    last_gap,
    longest_gap,
    days_since_last_order / mean_gap as silent_cycles,
    days_since_last_order - mean_gap as days_overdue,
    cast(orders_28d as bigint) as orders_28d,
    cast(orders_90d as bigint) as orders_90d,
    cast(orders_365d as bigint) as orders_365d,
    cents_28d / 100 as spend_28d,
    cents_90d / 100 as spend_90d,
    cents_365d / 100 as spend_365d,
    weekend_days / days as weekend_share,
    lines / orders as items_per_order,
    products as n_products,
    1 - net_cents / bought_cents as refund_share,
    first_cents / 100 as first_order_value
from customer
join basket using (customer_id)
