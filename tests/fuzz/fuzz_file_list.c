/* fuzz_file_list.c - any bytes as a packed list of files: refused, or a list that holds what a list
 * promises. */
#include "fuzz.h"

#include "corpus.h"

#include <string.h>

static void check_list(const cpr_file_list *list)
{
    uint64_t offset = 0;
    for (uint64_t i = 0; i < cpr_file_list_count(list); i++) {
        const cpr_file file = cpr_file_list_get(list, i);
        REQUIRE(cpr_file_list_lookup(list, cpr_file_list_member(list, i)) == i);
        REQUIRE(cpr_file_list_offset(list, i) == offset);
        REQUIRE(file.type == CPR_FILE_SYMLINK || cpr_file_list_link_target(list, i)[0] == '\0');
        REQUIRE(file.bytes <= UINT64_MAX - offset);
        if (file.bytes > 0)
            REQUIRE(cpr_file_list_find(list, offset) == i);
        offset += file.bytes;
    }
    REQUIRE(cpr_file_list_bytes(list) == offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    cpr_file_list *list;
    cpr_file_list *again;
    cpr_error error = {""};
    const cpr_status status = cpr_file_list_unpack(data, bytes, &list, &error);
    REQUIRE((status == CPR_OK) == (list != NULL));
    if (status != CPR_OK) {
        REQUIRE(status == CPR_ERR_DAMAGED && error.text[0] != '\0');
        return 0;
    }
    check_list(list);
    size_t packed_bytes;
    uint8_t *packed = cpr_file_list_pack(list, &packed_bytes);
    REQUIRE(packed != NULL);
    REQUIRE(cpr_file_list_unpack(packed, packed_bytes, &again, &error) == CPR_OK);
    REQUIRE(cpr_file_list_count(again) == cpr_file_list_count(list));
    check_list(again);
    free(packed);
    cpr_file_list_free(again);
    cpr_file_list_free(list);
    return 0;
}
