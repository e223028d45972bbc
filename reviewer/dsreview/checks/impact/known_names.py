"""Names that exist without being defined or imported anywhere in a repository."""

import builtins

PYTHON = frozenset(dir(builtins)) | frozenset(
    {"__file__", "__path__", "__builtins__", "__class__", "__module__", "__qualname__"}
    | {"__annotations__", "__cached__", "__dict__", "__firstlineno__", "__static_attributes__"}
    | {"__conditional_annotations__", "__type_params__", "WindowsError", "_", "reveal_type"}
    | {"reveal_locals", "ExceptionGroup", "BaseExceptionGroup", "EncodingWarning", "aiter"}
    | {"anext", "PythonFinalizationError", "exit", "quit", "copyright", "credits", "license"}
    # Python 2, in code that asks for its version first
    | {"unicode", "xrange", "basestring", "long", "raw_input", "unichr", "reduce", "file"}
    | {"cmp", "execfile", "reload", "apply", "buffer", "intern", "coerce"}
    # put there by the programs that run such files: IPython, Sphinx, Jupyter, SCons
    | {"get_ipython", "display", "get_config", "c", "tags", "Import", "Export", "Return"}
    | {"profile", "__IPYTHON__", "ic", "spark", "sc", "dbutils", "sqlContext", "snakemake"}
    | {"gettext", "ngettext", "pgettext", "npgettext", "N_"}
)

_ECMASCRIPT = """
AggregateError Array ArrayBuffer AsyncDisposableStack AsyncIterator Atomics BigInt
BigInt64Array BigUint64Array Boolean DataView Date DisposableStack Error EvalError
FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array
Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError
ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError
Temporal TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap
WeakRef WeakSet WebAssembly arguments decodeURI decodeURIComponent encodeURI
encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined
unescape ActiveXObject
"""

_HOSTS = """
AbortController AbortSignal Audio AudioContext Blob BroadcastChannel Buffer
ByteLengthQueuingStrategy CSS CSSStyleSheet CanvasGradient ClipboardItem CloseEvent Comment
CompressionStream CountQueuingStrategy Crypto CryptoKey CustomElementRegistry CustomEvent
DOMException DOMMatrix
DOMParser DOMPoint DOMRect DataTransfer DecompressionStream Document DocumentFragment DragEvent
Element ErrorEvent Event EventSource EventTarget FetchEvent File FileList FileReader FocusEvent
FontFace FormData HTMLElement Headers History IDBKeyRange Image ImageBitmap ImageData InputEvent
IntersectionObserver KeyboardEvent Location MediaRecorder MediaSource MediaStream MessageChannel
MessageEvent MessagePort MouseEvent MutationObserver NaN Navigator Node NodeFilter NodeList
Notification OffscreenCanvas Option Path2D Performance PerformanceObserver PointerEvent
PopStateEvent ProgressEvent PromiseRejectionEvent RTCPeerConnection Range ReadableStream
ReadableStreamDefaultReader Request ResizeObserver Response SVGElement Screen Selection
ServiceWorker ShadowRoot SharedWorker SpeechSynthesisUtterance Storage StorageEvent SubtleCrypto
Text TextDecoder TextDecoderStream TextEncoder TextEncoderStream TouchEvent TransformStream
TreeWalker UIEvent URL URLPattern URLSearchParams WebSocket WheelEvent Window Worker Worklet
WritableStream XMLHttpRequest XMLSerializer XPathResult __dirname __filename addEventListener
alert atob blur btoa caches cancelAnimationFrame cancelIdleCallback clearImmediate clearInterval
clearTimeout close closed confirm console createImageBitmap crypto customElements
dispatchEvent document exports external fetch find focus frames getComputedStyle getSelection
global history importScripts indexedDB innerHeight innerWidth length localStorage location
matchMedia module moveBy moveTo name navigator onerror onload onmessage open opener origin parent
performance postMessage print process prompt queueMicrotask removeEventListener reportError
requestAnimationFrame requestIdleCallback require resizeBy resizeTo screen scroll scrollBy
scrollTo self sessionStorage setImmediate setInterval setTimeout speechSynthesis status stop
structuredClone top window Bun Deno GM GM_getValue GM_setValue HTMLRewriter WebSocketPair
"""

_FRAMEWORKS = """
$ $$ $A $F $H $R $effect $inspect $props $state $derived Assert Ember Enumerable Feature
GdkPixbuf I Java JavaImporter Meteor Mongo Scenario Snap YAHOO YUI Y _ __ afterAll afterEach
after angular assert assertType asserts before beforeAll beforeEach benchmark browser by
callPhantom cc chai chrome config context cy Cypress d3 db defineEmits defineExpose defineModel
defineOptions defineProps defineSlots definePageMeta defineNuxtConfig describe describeOnly
element expect expectTypeOf fail fdescribe fit fixture google goog gtag ga grunt inject it
jasmine jest jestPuppeteer jQuery load ko L moment mocha onTestFailed onTestFinished page pending
phantom pm print protractor QUnit React ReactDOM rs rspack run runs runTest sap setup sh should
sinon specify spyOn spyOnProperty suite suiteSetup suiteTeardown system t tap teardown test
THREE trace useFetch useHead useRoute useRouter useState use ui vi vitest Vue waitsFor waits
withDefaults wx xcontext xdescribe xit xspecify xtest workbox Zone JSX NodeJS globalThis
__DEV__ __PROD__ __TEST__ __VERSION__ __webpack_hash__ __webpack_modules__ __non_webpack_require__
__webpack_public_path__ __webpack_require__ __turbopack_require__ arguments define requirejs
Parse ObjectId Packages importClass importPackage java javafx javax loadWithNewGlobal
"""

SCRIPT = frozenset(f"{_ECMASCRIPT} {_HOSTS} {_FRAMEWORKS}".split())

EVERYWHERE = PYTHON | SCRIPT

_GO = """
bufio bytes cmp context embed encoding/base64 encoding/binary encoding/csv encoding/gob
encoding/hex encoding/json encoding/xml errors expvar flag fmt html/template io io/fs
io/ioutil log/slog maps math/big math/bits math/cmplx net net/http net/http/httptest
net/netip net/url os os/exec os/signal path/filepath reflect regexp runtime runtime/debug
slices sort strconv strings sync sync/atomic syscall testing text/tabwriter time unicode
unicode/utf16 unicode/utf8 unsafe
"""

GO_PACKAGES = {name.rpartition("/")[2]: name for name in _GO.split()}
"""Packages of Go's standard library whose name hardly is anything else, by that name."""

_GO_BUILTINS = """
any append bool byte cap clear close comparable complex complex128 complex64 copy delete error
false float32 float64 imag int int16 int32 int64 int8 iota len make max min new nil panic print
println real recover rune string true uint uint16 uint32 uint64 uint8 uintptr
"""

GO_BUILTINS = frozenset(_GO_BUILTINS.split())

_JAVA = """
java.io.IOException java.io.InputStream java.io.OutputStream java.io.BufferedReader
java.io.InputStreamReader java.io.FileInputStream java.io.ByteArrayInputStream
java.io.ByteArrayOutputStream java.io.UncheckedIOException java.nio.file.Files
java.nio.file.Paths java.nio.charset.StandardCharsets java.util.ArrayList
java.util.LinkedList java.util.HashMap java.util.HashSet java.util.LinkedHashMap
java.util.LinkedHashSet java.util.TreeMap java.util.TreeSet java.util.Arrays
java.util.Collections java.util.Objects java.util.UUID java.util.List java.util.Map
java.util.Set java.util.concurrent.ConcurrentHashMap java.util.concurrent.TimeUnit
java.util.concurrent.ExecutorService java.util.concurrent.Executors
java.util.concurrent.atomic.AtomicInteger java.util.concurrent.atomic.AtomicLong
java.util.stream.Collectors java.math.BigDecimal java.math.BigInteger
"""

JAVA_CLASSES = {name.rpartition(".")[2]: name for name in _JAVA.split()}
"""Classes that are hardly anything but these, nested or inherited ones included."""

_JAVA_LANG = """
AbstractMethodError Appendable ArithmeticException ArrayIndexOutOfBoundsException
ArrayStoreException AssertionError AutoCloseable Boolean Byte CharSequence Character Class
ClassCastException ClassLoader ClassNotFoundException CloneNotSupportedException Cloneable
Comparable Compiler Deprecated Double Enum Error Exception ExceptionInInitializerError Float
FunctionalInterface IllegalAccessException IllegalArgumentException IllegalCallerException
IllegalMonitorStateException IllegalStateException IllegalThreadStateException
IndexOutOfBoundsException InheritableThreadLocal InstantiationException Integer InternalError
InterruptedException Iterable LinkageError Long Math MatchException Module ModuleLayer
NegativeArraySizeException NoClassDefFoundError NoSuchFieldException NoSuchMethodException
NullPointerException Number NumberFormatException Object OutOfMemoryError Override Package
Process ProcessBuilder ProcessHandle Readable Record ReflectiveOperationException Runnable
Runtime RuntimeException RuntimePermission SafeVarargs ScopedValue SecurityException
SecurityManager Short StackOverflowError StackTraceElement StackWalker StrictMath String
StringBuffer StringBuilder StringIndexOutOfBoundsException StringTemplate SuppressWarnings
System Thread ThreadDeath ThreadGroup ThreadLocal Throwable TypeNotPresentException
UnsupportedOperationException VerifyError VirtualMachineError Void IO
"""

JAVA_LANG = frozenset(_JAVA_LANG.split())

_JAVA_NESTED = """
Attribute Base64 Builder Category Decoder Dynamic Encoder Entry Field Filter FilteringMode Form
GetField Info Key KeyRep Kind LanguageRange Location Modifier Option PutField Result SimpleEntry
SimpleImmutableEntry State Status StyleContext SubsetBuilder Type UnicodeBlock UnicodeScript
"""

JAVA_NESTED = frozenset(_JAVA_NESTED.split())
"""Types nested in classes and interfaces of Java's own library."""
