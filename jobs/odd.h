/* odd.h - the oddities of a corpus by name: copies, boilerplate, text that was read in a wrong
 * encoding, binary files, other languages. */
#ifndef CPR_ODD_H
#define CPR_ODD_H

#include "odd_scan.h"
#include "report.h"

/* Decodes as `scan` says, and prints a row a finding: a table or CSV, or a member "rows" of a JSON
 * object that has been begun, behind "looked_at" and "found". What was looked at goes to standard
 * error, too. CPR_ERR_NO_MEMORY, and what decoding gives. */
cpr_status odd_print(odd_scan *scan, report_format format, cpr_error *error);

#endif
