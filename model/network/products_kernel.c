/* products_kernel.c - products of matrices of small integers, compiled once per instruction set. */
#include "products.h"

#include "products_vectors.h"

#include <assert.h>
#include <string.h>

#ifdef PRODUCTS_VECTORS

/* ---- packing ---- */

/* A panel is PANEL rows of the matrix, which become PANEL columns of what multiply() gives. It has
 * GROUP numbers of each row, then the next GROUP of each, and so on: a vector has GROUP numbers for
 * each of its lanes, and panels are read from their beginning to their end. */
#define PANEL 32u
#define GROUP 4u
#define PANEL_VECTORS (PANEL / VECTOR_LANES)
#define PANEL_STEP ((size_t)PANEL * GROUP)

/* Transposes 8 x 8 groups: rows of the matrix, `from_stride` bytes one behind the other, become
 * columns of the panel. */
static void pack_square(uint8_t *restrict to, const int8_t *restrict from, size_t from_stride)
{
    __m256i r[8], s[8];
    for (size_t i = 0; i < 8; i++)
        r[i] = _mm256_xor_si256(
            _mm256_loadu_si256((const __m256i *)(const void *)(from + i * from_stride)),
            _mm256_set1_epi8((char)WEIGHT_FLIP));
    for (size_t i = 0; i < 8; i += 2) {
        s[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        s[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4)
        for (size_t j = 0; j < 2; j++) {
            r[i + 2 * j] = _mm256_unpacklo_epi64(s[i + j], s[i + 2 + j]);
            r[i + 2 * j + 1] = _mm256_unpackhi_epi64(s[i + j], s[i + 2 + j]);
        }
    for (size_t i = 0; i < 4; i++) {
        const __m256i low = _mm256_permute2x128_si256(r[i], r[i + 4], 0x20);
        const __m256i high = _mm256_permute2x128_si256(r[i], r[i + 4], 0x31);
        _mm256_storeu_si256((__m256i *)(void *)(to + i * PANEL_STEP), low);
        _mm256_storeu_si256((__m256i *)(void *)(to + (i + 4) * PANEL_STEP), high);
    }
}

static void products_pack(void *restrict packed, const int8_t *restrict matrix, size_t n, size_t k)
{
    uint8_t *to = packed;
    assert(n % PANEL == 0 && k % PANEL == 0);
    for (size_t row = 0; row < n; row += PANEL)
        for (size_t i = 0; i < k; i += 8 * GROUP, to += 8 * PANEL_STEP)
            for (size_t j = 0; j < PANEL; j += 8)
                pack_square(to + j * GROUP, matrix + (row + j) * k + i, k);
}

/* Interleaves PANEL numbers each of GROUP rows. */
static void pack_rows(uint8_t *restrict to, const int8_t *restrict from, size_t from_stride)
{
    __m256i r[GROUP];
    for (size_t i = 0; i < GROUP; i++)
        r[i] = _mm256_xor_si256(
            _mm256_loadu_si256((const __m256i *)(const void *)(from + i * from_stride)),
            _mm256_set1_epi8((char)WEIGHT_FLIP));
    const __m256i low01 = _mm256_unpacklo_epi8(r[0], r[1]);
    const __m256i high01 = _mm256_unpackhi_epi8(r[0], r[1]);
    const __m256i low23 = _mm256_unpacklo_epi8(r[2], r[3]);
    const __m256i high23 = _mm256_unpackhi_epi8(r[2], r[3]);
    const __m256i q[4] = {_mm256_unpacklo_epi16(low01, low23), _mm256_unpackhi_epi16(low01, low23),
                          _mm256_unpacklo_epi16(high01, high23),
                          _mm256_unpackhi_epi16(high01, high23)};
    __m256i *out = (__m256i *)(void *)to;
    _mm256_storeu_si256(out, _mm256_permute2x128_si256(q[0], q[1], 0x20));
    _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(q[2], q[3], 0x20));
    _mm256_storeu_si256(out + 2, _mm256_permute2x128_si256(q[0], q[1], 0x31));
    _mm256_storeu_si256(out + 3, _mm256_permute2x128_si256(q[2], q[3], 0x31));
}

static void products_pack_transposed(void *restrict packed, const int8_t *restrict matrix, size_t n,
                                     size_t k, size_t first, size_t count)
{
    assert(n % PANEL == 0 && k % PANEL == 0 && first % PANEL == 0 && count % PANEL == 0);
    for (size_t row = 0; row < n; row += PANEL) {
        uint8_t *to = (uint8_t *)packed + row * k + first * PANEL;
        for (size_t i = first; i < first + count; i += GROUP, to += PANEL_STEP)
            pack_rows(to, matrix + i * n + row, n);
    }
}

/* ---- multiply ---- */

/* `rows` is a constant where this is called. */
ALWAYS_INLINE void multiply_panel(int32_t *restrict out, const int8_t *restrict a,
                                  const int32_t *restrict excess, const uint8_t *restrict panel,
                                  size_t rows, size_t n, size_t k)
{
    vector sum[MULTIPLY_ROWS][PANEL_VECTORS];
    for (size_t row = 0; row < rows; row++)
        for (size_t v = 0; v < PANEL_VECTORS; v++)
            sum[row][v] = V_ALL(-excess[row]);
    for (size_t i = 0; i < k; i += GROUP, panel += PANEL_STEP) {
        vector weights[PANEL_VECTORS];
        for (size_t v = 0; v < PANEL_VECTORS; v++)
            weights[v] = V_LOAD(panel + v * sizeof(vector));
        for (size_t row = 0; row < rows; row++) {
            const four_numbers x = four_numbers_of(a + row * k + i);
            for (size_t v = 0; v < PANEL_VECTORS; v++)
                sum[row][v] = add_four(sum[row][v], weights[v], x);
        }
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t v = 0; v < PANEL_VECTORS; v++)
            V_STORE(out + row * n + v * VECTOR_LANES, sum[row][v]);
}

/* One row: the sums are taken apart, since one would wait for the other. */
static void multiply_one(int32_t *restrict out, const int8_t *restrict a,
                         const uint8_t *restrict panel, size_t n, size_t k)
{
    enum { PARTS = 8 / PANEL_VECTORS };
    const int32_t excess = excess_of(a, k);
    for (size_t j = 0; j < n; j += PANEL) {
        vector sum[PARTS][PANEL_VECTORS];
        for (size_t part = 0; part < PARTS; part++)
            for (size_t v = 0; v < PANEL_VECTORS; v++)
                sum[part][v] = V_ZERO();
        for (size_t i = 0; i < k; i += PARTS * GROUP)
            for (size_t part = 0; part < PARTS; part++, panel += PANEL_STEP) {
                const four_numbers x = four_numbers_of(a + i + part * GROUP);
                for (size_t v = 0; v < PANEL_VECTORS; v++)
                    sum[part][v] = add_four(sum[part][v], V_LOAD(panel + v * sizeof(vector)), x);
            }
        for (size_t v = 0; v < PANEL_VECTORS; v++) {
            vector all = V_ALL(-excess);
            for (size_t part = 0; part < PARTS; part++)
                all = V_ADD(all, sum[part][v]);
            V_STORE(out + j + v * VECTOR_LANES, all);
        }
    }
}

/* Some rows with a panel. */
static void multiply_rows(int32_t *restrict out, const int8_t *restrict a,
                          const int32_t *restrict excess, const uint8_t *restrict panel,
                          size_t rows, size_t n, size_t k)
{
    size_t row = 0;
    for (; row + MULTIPLY_ROWS <= rows; row += MULTIPLY_ROWS)
        multiply_panel(out + row * n, a + row * k, excess + row, panel, MULTIPLY_ROWS, n, k);
    if (row + MULTIPLY_ROWS / 2 <= rows) {
        multiply_panel(out + row * n, a + row * k, excess + row, panel, MULTIPLY_ROWS / 2, n, k);
        row += MULTIPLY_ROWS / 2;
    }
    for (; row < rows; row++)
        multiply_panel(out + row * n, a + row * k, excess + row, panel, 1, n, k);
}

/* A panel stays in the nearest cache while all rows, or so many of them as stay there, too, are
 * multiplied by it. */
static void products_multiply(int32_t *restrict out, const int8_t *restrict a, size_t rows,
                              const void *restrict packed, size_t n, size_t k)
{
    enum { BLOCK = 64 };
    int32_t excess[BLOCK];
    assert(n % PANEL == 0 && k % PANEL == 0);
    if (rows == 1) {
        multiply_one(out, a, packed, n, k);
        return;
    }
    while (rows > 0) {
        const size_t count = rows < BLOCK ? rows : BLOCK;
        const uint8_t *panel = packed;
        for (size_t row = 0; row < count; row++)
            excess[row] = excess_of(a + row * k, k);
        for (size_t j = 0; j < n; j += PANEL, panel += PANEL * k)
            multiply_rows(out + j, a, excess, panel, count, n, k);
        out += count * n;
        a += count * k;
        rows -= count;
    }
}

/* ---- outer ---- */

/* Pairs of rows are taken together: a word has the numbers of both. Words are arranged in tiles, so
 * that they are read one after the other: WORDS_OF_A words of a, OUTER_COLUMNS of b for each pair.
 */
#define WORDS_OF_A 8u
#define OUTER_VECTORS 2u
#define OUTER_COLUMNS (OUTER_VECTORS * VECTOR_LANES)
#define TILE_DEPTH ((size_t)128) /* rows of a and b */
#define TILE_ROWS 64u            /* of out */
#define TILE_COLUMNS 128u        /* of out */

/* Words of 8 numbers each of two rows. */
static void words_of_a(uint32_t *restrict to, const int16_t *restrict first,
                       const int16_t *restrict second)
{
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)first);
    const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)second);
    _mm_storeu_si128((__m128i *)(void *)to, _mm_unpacklo_epi16(low, high));
    _mm_storeu_si128((__m128i *)(void *)(to + 4), _mm_unpackhi_epi16(low, high));
}

/* The same of 16 numbers. */
static void words_of_b(uint32_t *restrict to, const int8_t *restrict first,
                       const int8_t *restrict second)
{
    const __m256i low = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)first));
    const __m256i high =
        _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)second));
    const __m256i even = _mm256_unpacklo_epi16(low, high), odd = _mm256_unpackhi_epi16(low, high);
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(void *)(to + 8), _mm256_permute2x128_si256(even, odd, 0x31));
}

/* `width` numbers each of some rows; an odd row at the end goes with zeros. */
static void tile_a(uint32_t *restrict tile, const int16_t *restrict a, size_t rows, size_t n,
                   size_t width)
{
    static const int16_t zeros[WORDS_OF_A];
    for (size_t j = 0; j < width; j += WORDS_OF_A)
        for (size_t row = 0; row < rows; row += 2, tile += WORDS_OF_A)
            words_of_a(tile, a + row * n + j, row + 1 < rows ? a + (row + 1) * n + j : zeros);
}

static void tile_b(uint32_t *restrict tile, const int8_t *restrict b, size_t rows, size_t k,
                   size_t width)
{
    static const int8_t zeros[OUTER_COLUMNS];
    for (size_t j = 0; j < width; j += OUTER_COLUMNS)
        for (size_t row = 0; row < rows; row += 2)
            for (size_t i = 0; i < OUTER_COLUMNS; i += 16, tile += 16)
                words_of_b(tile, b + row * k + j + i,
                           row + 1 < rows ? b + (row + 1) * k + j + i : zeros + i);
}

/* Adds to OUTER_ROWS x OUTER_COLUMNS of out. */
ALWAYS_INLINE void outer_block(int32_t *restrict out, const uint32_t *restrict a,
                               const uint32_t *restrict b, size_t pairs, size_t k)
{
    vector sum[OUTER_ROWS][OUTER_VECTORS];
    for (size_t row = 0; row < OUTER_ROWS; row++)
        for (size_t v = 0; v < OUTER_VECTORS; v++)
            sum[row][v] = V_LOAD(out + row * k + v * VECTOR_LANES);
    for (size_t pair = 0; pair < pairs; pair++) {
        vector x[OUTER_VECTORS];
        for (size_t v = 0; v < OUTER_VECTORS; v++)
            x[v] = V_LOAD(b + pair * OUTER_COLUMNS + v * VECTOR_LANES);
        for (size_t row = 0; row < OUTER_ROWS; row++) {
            const vector y = vector_of_word(a + pair * WORDS_OF_A + row);
            for (size_t v = 0; v < OUTER_VECTORS; v++)
                sum[row][v] = add_two(sum[row][v], x[v], y);
        }
    }
    for (size_t row = 0; row < OUTER_ROWS; row++)
        for (size_t v = 0; v < OUTER_VECTORS; v++)
            V_STORE(out + row * k + v * VECTOR_LANES, sum[row][v]);
}

static void outer_tile(int32_t *restrict out, const uint32_t *restrict a,
                       const uint32_t *restrict b, size_t pairs, size_t rows, size_t columns,
                       size_t k)
{
    for (size_t j = 0; j < columns; j += OUTER_COLUMNS)
        for (size_t row = 0; row < rows; row += OUTER_ROWS)
            outer_block(out + row * k + j,
                        a + row / WORDS_OF_A * WORDS_OF_A * pairs + row % WORDS_OF_A, b + j * pairs,
                        pairs, k);
}

/* Adds the products of up to TILE_DEPTH rows. */
static void outer_rows(int32_t *restrict out, const int16_t *restrict a, const int8_t *restrict b,
                       size_t rows, size_t n, size_t k)
{
    _Alignas(64) uint32_t of_a[TILE_DEPTH / 2 * TILE_ROWS], of_b[TILE_DEPTH / 2 * TILE_COLUMNS];
    for (size_t column = 0; column < k; column += TILE_COLUMNS) {
        const size_t columns = k - column < TILE_COLUMNS ? k - column : TILE_COLUMNS;
        tile_b(of_b, b + column, rows, k, columns);
        for (size_t row = 0; row < n; row += TILE_ROWS) {
            const size_t wide = n - row < TILE_ROWS ? n - row : TILE_ROWS;
            tile_a(of_a, a + row, rows, n, wide);
            outer_tile(out + row * k + column, of_a, of_b, (rows + 1) / 2, wide, columns, k);
        }
    }
}

static void products_outer(int32_t *restrict out, const int16_t *restrict a,
                           const int8_t *restrict b, size_t rows, size_t n, size_t k)
{
    assert(n % PANEL == 0 && k % PANEL == 0);
    memset(out, 0, n * k * sizeof *out);
    for (size_t block = 0; block < (rows + TILE_DEPTH - 1) / TILE_DEPTH; block++) {
        const size_t first = block * TILE_DEPTH, left = rows - first;
        outer_rows(out, a + first * n, b + first * k, left < TILE_DEPTH ? left : TILE_DEPTH, n, k);
    }
}

#else

/* ---- for other instruction sets: loops of which compilers can make vectors ---- */

static void products_pack(void *restrict packed, const int8_t *restrict matrix, size_t n, size_t k)
{
    memcpy(packed, matrix, n * k);
}

static void products_pack_transposed(void *restrict packed, const int8_t *restrict matrix, size_t n,
                                     size_t k, size_t first, size_t count)
{
    enum { SQUARE = 32 }; /* stays in the nearest cache */
    int8_t *out = packed;
    for (size_t j = 0; j < n; j += SQUARE)
        for (size_t i = first; i < first + count; i += SQUARE)
            for (size_t row = j; row < j + SQUARE; row++)
                for (size_t at = i; at < i + SQUARE; at++)
                    out[row * k + at] = matrix[at * n + row];
}

#define PART_ROWS 32u
#define PART_COLUMNS 256u

static size_t part_of(size_t left, size_t most)
{
    return left < most ? left : most;
}

static int32_t sum_of_products(const int16_t *restrict a, const int8_t *restrict b, size_t count)
{
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (int32_t)a[i] * b[i];
    return sum;
}

/* Adds a part of the sums of a row: `count` of the k products of each. */
static void multiply_part(int32_t *restrict out, const int8_t *restrict a,
                          const int8_t *restrict matrix, size_t count, size_t n, size_t k)
{
    int16_t wide[PART_COLUMNS];
    for (size_t i = 0; i < count; i++)
        wide[i] = a[i]; /* NOLINT(bugprone-signed-char-misuse): it is a number */
    for (size_t j = 0; j < n; j++)
        out[j] += sum_of_products(wide, matrix + j * k, count);
}

static void products_multiply(int32_t *restrict out, const int8_t *restrict a, size_t rows,
                              const void *restrict packed, size_t n, size_t k)
{
    const int8_t *matrix = packed;
    memset(out, 0, rows * n * sizeof *out);
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < k; i += PART_COLUMNS)
            multiply_part(out + row * n, a + row * k + i, matrix + i, part_of(k - i, PART_COLUMNS),
                          n, k);
}

/* out += factor * x */
static void add_products(int32_t *restrict out, int16_t factor, const int16_t *restrict x,
                         size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] += (int32_t)factor * x[i];
}

/* Adds the products of up to PART_ROWS rows with up to PART_COLUMNS columns of b. */
static void outer_part(int32_t *restrict out, const int16_t *restrict a, const int8_t *restrict b,
                       size_t rows, size_t columns, size_t n, size_t k)
{
    int16_t wide[PART_ROWS * PART_COLUMNS];
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < columns; i++)
            wide[row * columns + i] = b[row * k + i]; /* NOLINT(bugprone-signed-char-misuse) */
    for (size_t j = 0; j < n; j++)
        for (size_t row = 0; row < rows; row++)
            add_products(out + j * k, a[row * n + j], wide + row * columns, columns);
}

static void products_outer(int32_t *restrict out, const int16_t *restrict a,
                           const int8_t *restrict b, size_t rows, size_t n, size_t k)
{
    memset(out, 0, n * k * sizeof *out);
    for (size_t row = 0; row < rows; row += PART_ROWS)
        for (size_t i = 0; i < k; i += PART_COLUMNS)
            outer_part(out + i, a + row * n, b + row * k + i, part_of(rows - row, PART_ROWS),
                       part_of(k - i, PART_COLUMNS), n, k);
}

#endif

const cpr_products CPR_IN_KERNEL(cpr_products_) = {products_pack, products_pack_transposed,
                                                   products_multiply, products_outer};
