#include "vector.h"
#include <math.h>

// A block of 4 x 8 query cells is compared with one key cell after the other: its 32 sums lie side by side in registers, and one comparison
// with their thresholds rejects most keys. Two vectors of the block and several keys at a time keep the multipliers busy, and fill the registers.

enum { key_count = LANES == 16 ? 8 : 6 };

typedef float lanes __attribute__((ext_vector_type(LANES), aligned(4)));
typedef int32_t lane_flags __attribute__((ext_vector_type(LANES), aligned(4)));

static void pack_tile(float *restrict packed, const float *restrict queries, tandem_tile tile, size_t dimension) {
    for (size_t lane = 0; lane < tandem_tile_cells; lane++) {
        size_t y = tile.top + lane / tandem_tile_width, x = tile.left + lane % tandem_tile_width;
        int exists = y < tile.grid_height && x < tile.grid_width;
        const float *query = queries + (y * tile.grid_width + x) * dimension;
        for (size_t i = 0; i < dimension; i++) packed[i * tandem_tile_cells + lane] = exists ? query[i] : 0.0f;
    }
}

/// Puts a candidate behind those that are as good, and drops what is no longer among the best or as good as the last of them.
static void offer(const tandem_matches *matches, size_t query, float score, int32_t source) {
    float *scores = matches->scores + query * matches->capacity;
    int32_t *sources = matches->sources + query * matches->capacity, *count = matches->counts + query;
    size_t best = matches->best, n = (size_t)*count;
    if (n >= best && (score < scores[best - 1] || (score == scores[best - 1] && n == matches->capacity))) return;
    if (n == matches->capacity) n--;
    size_t place = n;
    for (; place > 0 && scores[place - 1] < score; place--) {
        scores[place] = scores[place - 1];
        sources[place] = sources[place - 1];
    }
    scores[place] = score;
    sources[place] = source;
    n++;
    while (n > best && scores[n - 1] < scores[best - 1]) n--;
    *count = (int32_t)n;
}

/// A key cell.
typedef struct {
    const float *features;
    int32_t y, x;
} key_cell;

/// What a call works on.
typedef struct {
    const tandem_matches *matches;
    const float *packed;
    const int32_t *reach;
    tandem_tile tile;
    size_t dimension;
    int32_t first_source, inside, outside;
    float thresholds[tandem_tile_cells];
} search;

static float threshold(const tandem_matches *matches, size_t query) {
    return (size_t)matches->counts[query] < matches->best ? -INFINITY : matches->scores[query * matches->capacity + matches->best - 1];
}

/// Offers a key to one query, as often as it competes.
static void compare(search *s, size_t lane, key_cell key, float score) {
    int32_t y = (int32_t)(s->tile.top + lane / tandem_tile_width), x = (int32_t)(s->tile.left + lane % tandem_tile_width);
    int32_t down = key.y > y ? key.y - y : y - key.y, across = key.x > x ? key.x - x : x - key.x;
    size_t width = s->tile.grid_width, query = (size_t)y * width + (size_t)x;
    int32_t copies = across <= s->reach[down] ? s->inside : s->outside;
    for (; copies > 0; copies--) offer(s->matches, query, score, s->first_source + key.y * (int32_t)width + key.x);
    s->thresholds[lane] = threshold(s->matches, query);
}

/// Compares the queries of two vectors, from the lane `first`, with `count` of the keys; the others are there to be read.
INLINE void compare_lanes(search *s, size_t first, const key_cell *keys, size_t count) {
    lanes sums[key_count][2];
#pragma clang loop unroll(full)
    for (size_t key = 0; key < key_count; key++) sums[key][0] = sums[key][1] = (lanes)(0.0f);
    const float *queries = s->packed + first;
    for (size_t i = 0; i < s->dimension; i++, queries += tandem_tile_cells) {
        lanes left = *(const lanes *)queries, right = *(const lanes *)(queries + LANES);
#pragma clang loop unroll(full)
        for (size_t key = 0; key < key_count; key++) {
            sums[key][0] += keys[key].features[i] * left;
            sums[key][1] += keys[key].features[i] * right;
        }
    }
#pragma clang loop unroll(full)
    for (size_t key = 0; key < key_count; key++)
#pragma clang loop unroll(full)
        for (size_t half = 0; half < 2; half++) {
            const float *thresholds = s->thresholds + first + half * LANES;
            lane_flags hits = sums[key][half] >= *(const lanes *)thresholds;
            if (key >= count || !__builtin_reduce_or(hits)) continue;
            for (size_t lane = 0; lane < LANES; lane++)
                if (hits[lane]) compare(s, first + half * LANES + lane, keys[key], sums[key][half][lane]);
        }
}

/// Compares all queries with `count` of the keys.
static void compare_keys(search *s, const key_cell *keys, size_t count) {
    for (size_t first = 0; first < tandem_tile_cells; first += 2 * LANES) compare_lanes(s, first, keys, count);
}

static void top_k_affinity(const tandem_matches *matches, const float *restrict packed, const float *restrict keys,
                           const int32_t *restrict reach, tandem_tile tile, size_t dimension, int32_t first_source, int32_t inside,
                           int32_t outside) {
    search s = {matches, packed, reach, tile, dimension, first_source, inside, outside, {0}};
    size_t height = tile.grid_height, width = tile.grid_width;
    for (size_t lane = 0; lane < tandem_tile_cells; lane++) {
        size_t y = tile.top + lane / tandem_tile_width, x = tile.left + lane % tandem_tile_width;
        s.thresholds[lane] = y < height && x < width ? threshold(matches, y * width + x) : INFINITY;
    }
    int32_t top = (int32_t)tile.top, left = (int32_t)tile.left, last = (int32_t)width - 1;
    int32_t bottom = top + tandem_tile_height - 1, right = left + tandem_tile_width - 1;
    key_cell group[key_count];
    size_t count = 0;
    for (int32_t y = 0; y < (int32_t)height; y++) {
        // Where any of the tile's cells sees this row: the nearest of its rows reaches farthest.
        int32_t reached = outside > 0 ? last : reach[y < top ? top - y : y > bottom ? y - bottom : 0];
        if (reached < 0) continue;
        int32_t from = left > reached ? left - reached : 0, to = last - reached > right ? right + reached : last;
        for (int32_t x = from; x <= to; x++) {
            group[count++] = (key_cell){keys + ((size_t)y * width + (size_t)x) * dimension, y, x};
            if (count < key_count) continue;
            compare_keys(&s, group, count);
            count = 0;
        }
    }
    if (!count) return;
    for (size_t key = count; key < key_count; key++) group[key] = group[0];
    compare_keys(&s, group, count);
}
