"""Names of standard libraries that arrive without being named: by headers and wildcards."""

from collections.abc import Mapping
from typing import Final

from dsreview.languages.base import words

C_LIBRARY: Final = words("""
    abort abs access accept acos asin asprintf assert atan atan2 atexit atof atoi atol atoll
    bind bsearch calloc ceil chdir chmod clearerr clock close closedir connect cos cosh
    ctime difftime dup dup2 endif execv execvp exit exp fabs fclose fcntl feof ferror fflush
    fgetc fgets fileno floor fmax fmin fmod fopen fork fprintf fputc fputs fread free freopen
    frexp fscanf fseek fstat ftell fwrite getc getchar getenv getpid gettimeofday gmtime
    htonl htons ioctl isalnum isalpha isatty iscntrl isdigit isfinite isgraph isinf islower
    isnan isprint ispunct isspace isupper isxdigit kill labs ldexp listen llabs localtime log
    log10 log2 longjmp lseek lstat malloc memchr memcmp memcpy memmove memset mkdir mktime
    mmap modf munmap ntohl ntohs open opendir perror pipe poll pow printf putc putchar puts
    qsort raise rand read readdir realloc recv remove rename rewind rmdir round scanf select
    send setenv setjmp setsockopt setvbuf sigaction signal sin sinh sizeof sleep snprintf
    socket sprintf sqrt srand sscanf stat strcasecmp strcat strchr strcmp strcpy strcspn
    strdup strerror strftime strlen strncasecmp strncat strncmp strncpy strndup strnlen
    strpbrk strrchr strspn strstr strtod strtok strtol strtoll strtoul strtoull system tan
    tanh time tolower toupper trunc ungetc unlink unsetenv usleep va_arg va_copy va_end
    va_start vfprintf vprintf vsnprintf waitpid write
""")
_CPP_LIBRARY: Final = words("""
    accumulate all_of any_of array back_inserter begin cerr chrono cin copy count count_if
    cout deque distance end endl equal exception fill find find_if find_if_not for_each
    forward function getline ifstream invalid_argument iota is_sorted istringstream list
    logic_error lower_bound make_pair make_shared make_tuple make_unique map max max_element
    min min_element minmax move mutex next none_of numeric_limits ofstream optional
    ostringstream ostream out_of_range pair partial_sum prev priority_queue queue reduce
    remove_if replace reverse rotate runtime_error set shared_ptr size sort stable_sort stack
    static_cast stod stoi stol stoll stoul string_view stringstream swap tie to_string
    transform tuple unique unique_ptr unordered_map unordered_set upper_bound variant
    vector
""")
_JAVA_UTIL: Final = words("""
    ArrayDeque ArrayList Arrays BitSet Calendar Collection Collections Comparator
    ConcurrentModificationException Currency Date Deque EnumMap EnumSet Enumeration Formatter
    HashMap HashSet Hashtable IdentityHashMap IntSummaryStatistics Iterator LinkedHashMap
    LinkedHashSet LinkedList List ListIterator Locale Map NavigableMap NavigableSet
    NoSuchElementException Objects Optional OptionalDouble OptionalInt OptionalLong
    PriorityQueue Properties Queue Random Scanner Set SortedMap SortedSet Stack
    StringJoiner StringTokenizer Timer TimerTask TreeMap TreeSet UUID Vector WeakHashMap
""")
_BASH: Final = words("""
    [ [[ alias awk basename bg bind break brew builtin cat cd chmod chown clear cmp command
    continue cp curl cut date declare df diff dirname docker du echo egrep env eval exec exit
    export expr false fg fgrep file find fold getopts git grep gunzip gzip hash head hostname
    id install jobs join kill let ln local ls make mkdir mktemp mv nl node npm od open perl
    popd printf ps pushd pwd python python3 read readlink readonly realpath return rev rm
    rmdir sed select seq set shift shopt sleep sort source split stat stty su sudo tail tar
    tee test time touch tput tr trap true type typeset ulimit umask unalias uname uniq unset
    unzip wait wc wget which whoami xargs yes zip
""")
LIBRARY_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "c": C_LIBRARY,
    "cpp": C_LIBRARY | _CPP_LIBRARY,
    "bash": _BASH,
}
WILDCARDS: Final[Mapping[str, tuple[tuple[str, frozenset[str]], ...]]] = {
    "java": (("import java.util.*;", _JAVA_UTIL),),
}
"""What a wildcard import of a language brings, where that is known."""
