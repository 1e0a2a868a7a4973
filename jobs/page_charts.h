/* page_charts.h - the charts on the page of an audit, each a <figure>.
 *
 * What there is nothing to draw of is left out. */
#ifndef CPR_PAGE_CHARTS_H
#define CPR_PAGE_CHARTS_H

#include "page_data.h"

#include <stdio.h>

/* Bits a byte, weighted by bytes: by file and by shard. */
void page_histograms(FILE *out, const page_data *data);

/* Size against bits a byte, a point a file, with the names of outliers. */
void page_scatter(FILE *out, const page_audit *audit, const page_data *data);

/* Where the bytes went: by directory and by suffix. */
void page_shares(FILE *out, const page_data *data);

/* Seconds by shard and by rank. False: out of memory. */
bool page_times(FILE *out, const page_audit *audit, const page_data *data);

/* The learning curve. */
void page_curve(FILE *out, const page_audit *audit);

/* "1,234,567" and "12.3 MB" to `out`, which is returned. */
#define PAGE_NUMBER_BYTES 32
const char *page_number(uint64_t number, char out[PAGE_NUMBER_BYTES]);

#endif
