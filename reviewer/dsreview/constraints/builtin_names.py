"""Names that every file of a language has without defining or importing them."""

import builtins
import keyword
from collections.abc import Mapping
from typing import Final

_JAVASCRIPT = """
    AbortController AbortSignal AggregateError Array ArrayBuffer Atomics BigInt
    BigInt64Array BigUint64Array Blob Boolean Buffer Comment CompressionStream Crypto
    CryptoKey CustomEvent DOMException DOMParser DOMRect DataView Date DecompressionStream
    Document DocumentFragment Element Error EvalError Event EventSource EventTarget File
    FileReader FinalizationRegistry Float32Array Float64Array FormData Function HTMLElement
    Headers History Image Infinity Int16Array Int32Array Int8Array IntersectionObserver Intl
    Iterator JSON Location Map Math MessageChannel MessagePort MutationObserver NaN
    Navigator Node NodeList Number Object PerformanceObserver Promise Proxy Range RangeError
    ReadableStream ReferenceError Reflect RegExp Request ResizeObserver Response Selection
    Set SharedArrayBuffer Storage String Symbol SyntaxError Text TextDecoder
    TextDecoderStream TextEncoder TextEncoderStream TransformStream TypeError URIError URL
    URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef
    WeakSet WebAssembly WebSocket Window Worker WritableStream XMLHttpRequest __dirname
    __filename addEventListener afterAll afterEach alert arguments assertType atob beforeAll
    beforeEach bench btoa cancelAnimationFrame cancelIdleCallback clearImmediate
    clearInterval clearTimeout console crypto customElements decodeURI decodeURIComponent
    describe dispatchEvent document encodeURI encodeURIComponent escape eval expect
    expectTypeOf exports fetch getComputedStyle global globalThis history indexedDB
    innerHeight innerWidth isFinite isNaN it jest localStorage location matchMedia module
    navigator parseFloat parseInt performance process queueMicrotask
    removeEventListener requestAnimationFrame requestIdleCallback require self
    sessionStorage setImmediate setInterval setTimeout structuredClone suite test undefined
    unescape vi window
"""
_TYPESCRIPT = """
    ArrayLike AsyncGenerator AsyncIterable AsyncIterableIterator AsyncIterator Awaited
    BodyInit BufferSource CSSStyleDeclaration CanvasRenderingContext2D Capitalize
    ConstructorParameters Disposable ErrorOptions EventListener Exclude Extract Generator
    HTMLCollectionOf HeadersInit InstanceType Iterable IterableIterator JSX Lowercase
    NoInfer NodeJS NodeListOf NonNullable Omit OmitThisParameter Parameters Partial Pick
    PromiseLike PropertyDescriptor PropertyKey Readonly ReadonlyArray ReadonlyMap
    ReadonlySet Record RequestInfo Required ReturnType TemplateStringsArray Thenable
    ThisType Uncapitalize Uppercase any asserts bigint boolean const infer is keyof never
    null number object string symbol unique unknown void
"""
_JAVA = """
    AbstractMethodError Appendable ArithmeticException ArrayIndexOutOfBoundsException
    ArrayStoreException AssertionError AutoCloseable Boolean Byte CharSequence Character
    Class ClassCastException ClassNotFoundException CloneNotSupportedException Cloneable
    Comparable Deprecated Double Enum Error Exception Float FunctionalInterface
    IllegalArgumentException IllegalStateException IndexOutOfBoundsException
    InheritableThreadLocal Integer InterruptedException Iterable LinkageError Long Math
    NegativeArraySizeException NoSuchFieldException NoSuchMethodException
    NullPointerException Number NumberFormatException Object OutOfMemoryError Override
    Process ProcessBuilder Record ReflectiveOperationException Runnable Runtime
    RuntimeException SafeVarargs SecurityException Short StackOverflowError StrictMath
    String StringBuffer StringBuilder StringIndexOutOfBoundsException SuppressWarnings
    System Thread ThreadGroup ThreadLocal Throwable UnsupportedOperationException Void java
    javax length var yield record clone equals finalize getClass hashCode notify notifyAll
    toString wait
"""
_GO = """
    any append bool byte cap clear close comparable complex complex128 complex64 copy delete
    error false float32 float64 imag int int16 int32 int64 int8 iota len make max min new
    nil panic print println real recover rune string true uint uint16 uint32 uint64 uint8
    uintptr _
"""
_RUST = """
    AsMut AsRef Box Clone Copy Debug Default DoubleEndedIterator Drop Eq Err
    ExactSizeIterator Extend Fn FnMut FnOnce From FromIterator Future Hash Into IntoFuture
    IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd Result Self Send Sized
    Some String Sync ToOwned ToString TryFrom TryInto Unpin Vec _ alloc allow assert
    assert_eq assert_ne bool cfg char cold column compile_error concat core crate dbg
    debug_assert debug_assert_eq debug_assert_ne deny deprecated derive doc drop env eprint
    eprintln f32 f64 false feature file format format_args i128 i16 i32 i64 i8 include
    include_bytes include_str inline isize line macro_rules matches module_path must_use
    non_exhaustive option_env panic print println repr self should_panic std str stringify
    super target_arch target_endian target_env target_family target_feature target_os
    target_pointer_width target_vendor test thread_local todo track_caller true u128 u16 u32
    u64 u8 unimplemented unix unreachable usize vec warn windows write writeln
"""
_C = """
    FILE INT_MAX INT_MIN LONG_MAX NULL SIZE_MAX UINT_MAX _Bool bool char double errno false
    float int int16_t int32_t int64_t int8_t intptr_t long ptrdiff_t short signed size_t
    ssize_t stderr stdin stdout true uint16_t uint32_t uint64_t uint8_t uintptr_t unsigned
    va_list void wchar_t __FILE__ __LINE__ __func__ defined environ optarg optind
"""
_CPP = """
    std nullptr this nullptr_t override final noexcept auto char8_t char16_t char32_t
    decltype string vector
"""
_C_SHARP = """
    args bool byte char dynamic decimal double dynamic field float get int long nameof nint
    notnull nuint object sbyte set short string uint ulong unmanaged ushort value var void
    when _
"""
_RUBY = """
    __FILE__ __LINE__ __dir__ __method__ abort alias_method at_exit attr attr_accessor
    attr_reader attr_writer autoload binding block_given? caller catch class define_method
    eval exec exit extend fail fork format freeze frozen? gets include instance_variable_get
    instance_variable_set inspect is_a? lambda load loop method method_missing
    module_function nil? object_id open p pp prepend printf private private_class_method
    private_constant proc protected public putc puts raise rand readline readlines refine
    require require_relative respond_to? select self send singleton_class sleep spawn
    sprintf srand syscall system tap test then throw to_s trap using warn
"""
_PHP = "GLOBALS _COOKIE _ENV _FILES _GET _POST _REQUEST _SERVER _SESSION argc argv this"
_KOTLIN = """
    Any Array ArrayDeque ArrayList Boolean BooleanArray Byte ByteArray Char CharArray
    CharSequence Collection Comparable Comparator Deprecated Double DoubleArray Enum Error
    Exception Float FloatArray Function HashMap HashSet IllegalArgumentException
    IllegalStateException IndexOutOfBoundsException Int IntArray IntRange Iterable Iterator
    JvmField JvmOverloads JvmStatic Lazy LinkedHashMap LinkedHashSet List Long LongArray
    LongRange Map Math MutableCollection MutableIterable MutableIterator MutableList
    MutableMap MutableSet NoSuchElementException Nothing NullPointerException Number
    NumberFormatException Pair Regex Result RuntimeException Sequence Set Short ShortArray
    String StringBuilder Suppress System Thread Throwable Throws Triple UInt ULong Unit
    UnsupportedOperationException also apply break continue arrayListOf arrayOf arrayOfNulls assert
    booleanArrayOf buildList buildMap buildSet buildString byteArrayOf charArrayOf check
    checkNotNull compareBy compareByDescending compareValues compareValuesBy doubleArrayOf
    emptyArray emptyList emptyMap emptySequence emptySet enumValueOf enumValues error false
    field floatArrayOf generateSequence getValue hashMapOf hashSetOf intArrayOf it java
    javax kotlin lateinit lazy lazyOf let linkedMapOf linkedSetOf listOf listOfNotNull
    longArrayOf mapOf maxOf minOf mutableListOf mutableMapOf mutableSetOf null print println
    readLine readln repeat require requireNotNull run runCatching sequence sequenceOf setOf
    setValue shortArrayOf sortedMapOf sortedSetOf super synchronized takeIf takeUnless this
    to true use value with
"""
_SWIFT = """
    Any AnyObject Array ArraySlice Bool CaseIterable Character ClosedRange Codable
    Collection Comparable CustomStringConvertible Decodable Decoder Dictionary Double
    Encodable Encoder Equatable Error Float Hashable Hasher Identifiable Int Int16 Int32
    Int64 Int8 IteratorProtocol KeyPath LazySequence Never ObjectIdentifier Optional
    OptionSet Range RawRepresentable Result Self Sendable Sequence Set StaticString String
    Substring Task UInt UInt16 UInt32 UInt64 UInt8 Unicode UnsafeMutablePointer
    UnsafePointer UnsafeRawPointer Void abs assert assertionFailure debugPrint dump error
    fatalError init isKnownUniquelyReferenced max min newValue numericCast oldValue
    precondition preconditionFailure print readLine repeatElement sequence some stride swap
    super self type withUnsafeBytes withUnsafePointer zip
"""

BUILTIN_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "python": frozenset(
        [*dir(builtins), *keyword.softkwlist, "__file__", "__path__", "__class__", "__all__"]
    ),
    "javascript": frozenset(_JAVASCRIPT.split()),
    "typescript": frozenset((_JAVASCRIPT + _TYPESCRIPT).split()),
    "tsx": frozenset((_JAVASCRIPT + _TYPESCRIPT).split()),
    "java": frozenset(_JAVA.split()),
    "go": frozenset(_GO.split()),
    "rust": frozenset(_RUST.split()),
    "c": frozenset(_C.split()),
    "cpp": frozenset((_C + _CPP).split()),
    "c_sharp": frozenset(_C_SHARP.split()),
    "ruby": frozenset(_RUBY.split()),
    "php": frozenset(_PHP.split()),
    "kotlin": frozenset(_KOTLIN.split()),
    "swift": frozenset(_SWIFT.split()),
    "bash": frozenset({"IFS", "OLDPWD", "PATH", "PWD", "REPLY"}),
}
