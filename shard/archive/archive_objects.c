/* archive_objects.c - opens the HDF5 objects of an archive. */
#include "archive_objects.h"
#include "archive_tables.h"
#include "file_io.h"
#include "object_header.h"

#include <stdlib.h>
#include <string.h>

/* Larger chunks would take much memory for few bytes of the file; ours have 256 rows. */
#define CHUNK_ROWS_MAX 65536
/* Of a row of /shards, with fields of other versions; ours has 100 bytes. */
#define ROW_BYTES_MAX 4096

cpr_status cpr_object_find(const cpr_reading *r, const char *name, bool *there)
{
    H5L_info_t link;
    const htri_t exists = H5Lexists(r->file, name, H5P_DEFAULT);
    if (there != NULL)
        *there = exists > 0;
    if (exists == 0 && there != NULL)
        return CPR_OK;
    if (exists <= 0 || H5Lget_info(r->file, name, &link, H5P_DEFAULT) < 0)
        return cpr_reading_wrong(r, name);
    return link.type == H5L_TYPE_HARD ? CPR_OK
                                      : cpr_reading_refused(r, name, "a link that is not hard");
}

cpr_status cpr_object_find_dataset(const cpr_reading *r, const char *name)
{
    H5L_info_t link;
    const cpr_status status = cpr_object_find(r, name, NULL);
    if (status != CPR_OK)
        return status;
    if (H5Lget_info(r->file, name, &link, H5P_DEFAULT) < 0)
        return cpr_reading_wrong(r, name);
    return cpr_object_header_is_safe(r->image, r->base + link.u.address, r->archive->sealed)
               ? CPR_OK
               : cpr_reading_refused(r, name, "a header that no archive has");
}

/* ---- datasets ------------------------------------------------------------------------------- */

/* The parameters of the scale-offset filter are in the file, and HDF5 believes them. */
static bool is_known_packing(hid_t properties, const cpr_dataset *d, hid_t type)
{
    enum { SCALE, FACTOR, ROWS, CLASS, SIZE, SIGN, ORDER, FILLED, FILL, PARAMETERS = 20 };
    unsigned v[PARAMETERS] = {0};
    unsigned flags;
    unsigned config;
    size_t count = PARAMETERS;
    char name[32];
    if (H5Pget_filter2(properties, 0, &flags, &count, v, sizeof name, name, &config) !=
            H5Z_FILTER_SCALEOFFSET ||
        count != PARAMETERS)
        return false;
    for (unsigned i = FILL; i < PARAMETERS; i++)
        if (v[i] != 0)
            return false;
    return v[SCALE] == H5Z_SO_INT && v[ROWS] == d->chunk_rows && v[CLASS] == 0 &&
           v[SIZE] == d->row_bytes && v[SIGN] == (H5Tget_sign(type) == H5T_SGN_2) &&
           v[ORDER] == 0 && v[FILLED] == 1;
}

static cpr_status check_chunks(const cpr_reading *r, hid_t properties, hid_t type, cpr_dataset *d)
{
    const int filters = H5Pget_nfilters(properties);
    if (H5Pget_chunk(properties, 1, &d->chunk_rows) != 1 || d->chunk_rows == 0 ||
        d->chunk_rows > CHUNK_ROWS_MAX)
        return cpr_reading_refused(r, d->name, "chunks of a size that no archive has");
    d->packed = filters == 1;
    if (filters < 0 || filters > 1 || (d->packed && !is_known_packing(properties, d, type)))
        return cpr_reading_refused(r, d->name, "a filter that no archive has");
    return CPR_OK;
}

cpr_status cpr_layout_check(const cpr_reading *r, const char *name, hid_t properties)
{
    const H5D_layout_t layout = H5Pget_layout(properties);
    if (layout == H5D_CHUNKED)
        return cpr_reading_refused(
            r, name, "chunks, as h5repack may make them ('h5repack -l CONTI -f NONE' undoes it)");
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS)
        return cpr_reading_refused(r, name, "a layout that no archive has");
    if (H5Pget_external_count(properties) != 0)
        return cpr_reading_refused(r, name, "its bytes in another file");
    return CPR_OK;
}

/* The rows must have their bytes in the file. */
static cpr_status check_size(const cpr_reading *r, hid_t properties, cpr_dataset *d)
{
    const uint64_t file_bytes = r->archive->seal.file_bytes;
    d->rows = cpr_h5_rows(d->id);
    if (d->rows == UINT64_MAX || d->rows > file_bytes / (d->chunk_rows > 0 ? 1 : d->row_bytes))
        return cpr_reading_wrong(r, d->name);
    if (d->chunk_rows > 0 || d->rows == 0)
        return CPR_OK;
    const uint64_t bytes = d->rows * d->row_bytes;
    if (H5Dget_storage_size(d->id) != bytes)
        return cpr_reading_wrong(r, d->name);
    if (H5Pget_layout(properties) == H5D_COMPACT)
        return CPR_OK;
    const haddr_t offset = H5Dget_offset(d->id);
    return offset == HADDR_UNDEF || offset > file_bytes || bytes > file_bytes - offset
               ? cpr_reading_wrong(r, d->name)
               : CPR_OK;
}

/* Whether a field that this version does not know can be passed over: plain numbers, or bytes. */
static bool is_plain(hid_t row, unsigned field)
{
    const hid_t type = H5Tget_member_type(row, field);
    const H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    const hid_t base = class == H5T_ARRAY ? H5Tget_super(type) : -1;
    const bool plain = class == H5T_INTEGER || class == H5T_FLOAT ||
                       (base >= 0 && H5Tequal(base, H5T_STD_U8LE) > 0);
    cpr_h5_close(base);
    cpr_h5_close(type);
    return plain;
}

/* Whether a row that was found can be read as `wanted`: fields go by their names; those that other
 * versions have besides are passed over, and those that they lack are zero. */
static bool row_fits(hid_t found, hid_t wanted)
{
    const int fields = H5Tget_nmembers(found);
    if (H5Tget_class(found) != H5T_COMPOUND || fields <= 0 || H5Tget_size(found) > ROW_BYTES_MAX)
        return false;
    bool fits = true;
    for (unsigned i = 0; fits && i < (unsigned)fields; i++) {
        char *name = H5Tget_member_name(found, i);
        const int known = name == NULL ? -1 : H5Tget_member_index(wanted, name);
        if (known >= 0) {
            const hid_t a = H5Tget_member_type(found, i);
            const hid_t b = H5Tget_member_type(wanted, (unsigned)known);
            fits = a >= 0 && b >= 0 && H5Tequal(a, b) > 0;
            cpr_h5_close(b);
            cpr_h5_close(a);
        } else {
            fits = name != NULL && is_plain(found, i);
        }
        (void)H5free_memory(name);
    }
    return fits;
}

static bool type_fits(hid_t found, hid_t wanted)
{
    if (H5Tcommitted(found) != 0)
        return false;
    return H5Tget_class(wanted) == H5T_COMPOUND ? row_fits(found, wanted)
                                                : H5Tequal(found, wanted) > 0;
}

cpr_status cpr_dataset_open(const cpr_reading *r, const char *name, hid_t type, bool chunked,
                            cpr_dataset *dataset)
{
    *dataset = (cpr_dataset){.name = name, .id = -1};
    cpr_status status = cpr_object_find_dataset(r, name);
    if (status != CPR_OK)
        return status;
    dataset->id = H5Dopen2(r->file, name, H5P_DEFAULT);
    if (dataset->id < 0)
        return cpr_reading_wrong(r, name);
    const hid_t properties = H5Dget_create_plist(dataset->id);
    const hid_t found = properties < 0 ? -1 : H5Dget_type(dataset->id);
    if (found < 0)
        status = cpr_reading_wrong(r, name);
    else if (!type_fits(found, type))
        status = cpr_reading_refused(r, name, "a type that it must not have");
    dataset->row_bytes = found < 0 ? 1 : H5Tget_size(found);
    dataset->is_signed = H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    if (status == CPR_OK)
        status = chunked && H5Pget_layout(properties) == H5D_CHUNKED
                     ? check_chunks(r, properties, type, dataset)
                     : cpr_layout_check(r, name, properties);
    if (status == CPR_OK)
        status = check_size(r, properties, dataset);
    cpr_h5_close(found);
    cpr_h5_close(properties);
    return status;
}

/* ---- packed columns ------------------------------------------------------------------------- */

/* Of a chunk that scale-offset packed: bits a row (4 bytes), 8, the smallest value (8 bytes), zeros
 * up to here; then that many bits for each row, the highest first. */
#define PACKED_HEAD 21u

static uint64_t little_endian(const uint8_t *in, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)in[i] << 8 * i;
    return value;
}

/* As a number of the column's type. */
static uint64_t widen(const cpr_dataset *d, uint64_t value)
{
    const unsigned bits = 8 * (unsigned)d->row_bytes;
    if (bits == 64)
        return value;
    value &= (UINT64_C(1) << bits) - 1;
    return d->is_signed && value >> (bits - 1) ? value | ~((UINT64_C(1) << bits) - 1) : value;
}

/* `bits` bits from bit *at on, the highest first. */
static uint64_t take_bits(const uint8_t *in, uint64_t *at, unsigned bits)
{
    uint64_t value = 0;
    for (unsigned left = bits; left > 0;) {
        const unsigned in_byte = 8 - (unsigned)(*at % 8);
        const unsigned part = left < in_byte ? left : in_byte;
        const unsigned byte = (unsigned)in[*at / 8] >> (in_byte - part) & ((1u << part) - 1);
        value = value << part | byte;
        *at += part;
        left -= part;
    }
    return value;
}

/* HDF5 1.10's own decoder reads past the end of a chunk that is too short for what it says. */
static bool unpack_chunk(const cpr_dataset *d, const uint8_t *in, size_t bytes, uint64_t rows,
                         uint64_t *out)
{
    const unsigned width = 8 * (unsigned)d->row_bytes;
    if (bytes < PACKED_HEAD || in[4] != 8)
        return false;
    const unsigned bits = cpr_get32(in);
    const uint64_t least = cpr_get64(in + 5);
    if (bits > width || (uint64_t)bits * d->chunk_rows > 8 * (uint64_t)(bytes - PACKED_HEAD))
        return false;
    in += PACKED_HEAD;
    if (bits == width) {
        for (uint64_t i = 0; i < rows; i++)
            out[i] = widen(d, little_endian(in + i * d->row_bytes, d->row_bytes));
        return true;
    }
    /* The highest value of the bits stands for the fill value, zero. */
    const uint64_t filled = (UINT64_C(1) << bits) - 1;
    uint64_t at = 0;
    for (uint64_t i = 0; i < rows; i++) {
        const uint64_t value = take_bits(in, &at, bits);
        out[i] = value == filled ? 0 : widen(d, least + value);
    }
    return true;
}

static bool plain_chunk(const cpr_dataset *d, const uint8_t *in, size_t bytes, uint64_t rows,
                        uint64_t *out)
{
    if (bytes != d->chunk_rows * d->row_bytes)
        return false;
    for (uint64_t i = 0; i < rows; i++)
        out[i] = widen(d, little_endian(in + i * d->row_bytes, d->row_bytes));
    return true;
}

cpr_status cpr_dataset_unpack(const cpr_reading *r, const cpr_dataset *dataset, uint64_t *out)
{
    const cpr_dataset *d = dataset;
    const size_t room = PACKED_HEAD + 8 + d->chunk_rows * d->row_bytes;
    uint8_t *chunk = malloc(room);
    if (chunk == NULL)
        return cpr_reading_no_memory(r);
    bool good = true;
    for (hsize_t at = 0; good && at < d->rows; at += d->chunk_rows) {
        hsize_t bytes = 0;
        uint32_t left_out = 0;
        const uint64_t rows = d->rows - at < d->chunk_rows ? d->rows - at : d->chunk_rows;
        good = H5Dget_chunk_storage_size(d->id, &at, &bytes) >= 0 && bytes > 0 && bytes <= room &&
               H5Dread_chunk(d->id, H5P_DEFAULT, &at, &left_out, chunk) >= 0;
        if (good && d->packed && left_out == 0)
            good = unpack_chunk(d, chunk, (size_t)bytes, rows, out + at);
        else if (good)
            good = plain_chunk(d, chunk, (size_t)bytes, rows, out + at);
    }
    free(chunk);
    return good ? CPR_OK : cpr_reading_wrong(r, d->name);
}

/* ---- attributes ----------------------------------------------------------------------------- */

/* Opens a scalar attribute and its type. */
static cpr_status open_attribute(const cpr_reading *r, const char *name, hid_t *attribute,
                                 hid_t *type)
{
    *type = -1;
    *attribute = H5Aopen(r->file, name, H5P_DEFAULT);
    const hid_t space = *attribute < 0 ? -1 : H5Aget_space(*attribute);
    if (space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR)
        *type = H5Aget_type(*attribute);
    cpr_h5_close(space);
    return *type < 0 || H5Tcommitted(*type) != 0 ? cpr_reading_wrong(r, name) : CPR_OK;
}

cpr_status cpr_attribute_number(const cpr_reading *r, const char *name, uint64_t *out)
{
    hid_t attribute;
    hid_t type;
    cpr_status status = open_attribute(r, name, &attribute, &type);
    if (status == CPR_OK &&
        (H5Tequal(type, H5T_STD_U64LE) <= 0 || H5Aread(attribute, H5T_NATIVE_UINT64, out) < 0))
        status = cpr_reading_wrong(r, name);
    cpr_h5_close(type);
    cpr_h5_close(attribute);
    return status;
}

cpr_status cpr_attribute_text(const cpr_reading *r, const char *name, char *out, size_t capacity)
{
    hid_t attribute;
    hid_t stored;
    const hid_t type = H5Tcopy(H5T_C_S1);
    memset(out, 0, capacity);
    cpr_status status = open_attribute(r, name, &attribute, &stored);
    if (status == CPR_OK &&
        (type < 0 || H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored) != 0 ||
         H5Tget_size(stored) >= capacity || H5Tset_size(type, capacity) < 0 ||
         H5Tset_cset(type, H5Tget_cset(stored)) < 0 || H5Aread(attribute, type, out) < 0))
        status = cpr_reading_wrong(r, name);
    out[capacity - 1] = '\0';
    cpr_h5_close(type);
    cpr_h5_close(stored);
    cpr_h5_close(attribute);
    return status;
}

cpr_status cpr_attribute_opaque(const cpr_reading *r, const char *name, size_t most, uint8_t **out,
                                size_t *bytes)
{
    hid_t attribute;
    hid_t type;
    *out = NULL;
    cpr_status status = open_attribute(r, name, &attribute, &type);
    *bytes = type < 0 ? 0 : H5Tget_size(type);
    if (status == CPR_OK && (H5Tget_class(type) != H5T_OPAQUE || *bytes > most))
        status = cpr_reading_wrong(r, name);
    if (status == CPR_OK && (*out = malloc(*bytes + 1)) == NULL)
        status = cpr_reading_no_memory(r);
    if (status == CPR_OK && H5Aread(attribute, type, *out) < 0)
        status = cpr_reading_wrong(r, name);
    cpr_h5_close(type);
    cpr_h5_close(attribute);
    return status;
}
