// Functions that take the place of others when TensorFlow.js's binding is linked or loaded, so that its sources stay as they are.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#if defined(__linux__)
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#endif

#include "tensorflow/c/c_api_experimental.h"
#include "tensorflow/c/eager/c_api.h"

// ---- the loopback address ----
//
// TensorFlow's gRPC server listens on every interface without authentication: any host that reaches it reads and writes files as the
// user of the run. It has no option for another address. Where all ranks are on one machine, the function below takes the place of
// `bind` in TensorFlow's libraries: their entries in the tables of the dynamic linker are overwritten, and no others.

#if defined(__linux__)

namespace {

/** `bind`, with the loopback address in the place of the address of all interfaces. */
int BindLoopback(int socket, const sockaddr* address, socklen_t length) {
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in local = *reinterpret_cast<const sockaddr_in*>(address);
    if (local.sin_addr.s_addr == htonl(INADDR_ANY)) local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bind(socket, reinterpret_cast<sockaddr*>(&local), sizeof(local));
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 local = *reinterpret_cast<const sockaddr_in6*>(address);
    in6_addr any4;
    inet_pton(AF_INET6, "::ffff:0.0.0.0", &any4);
    const bool any = IN6_IS_ADDR_UNSPECIFIED(&local.sin6_addr) || std::memcmp(&local.sin6_addr, &any4, sizeof(any4)) == 0;
    if (any) inet_pton(AF_INET6, "::ffff:127.0.0.1", &local.sin6_addr);  // the ranks call each other by 127.0.0.1
    return bind(socket, reinterpret_cast<sockaddr*>(&local), sizeof(local));
  }
  return bind(socket, address, length);
}

#if defined(__x86_64__)
constexpr unsigned kSlots[] = {R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT};
#elif defined(__aarch64__)
constexpr unsigned kSlots[] = {R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT};
#else
constexpr unsigned kSlots[] = {0xffffffff};
#endif

/** Writes an entry of a table that may have been made read-only after loading. */
void Write(ElfW(Addr) at, bool read_only) {
  const ElfW(Addr) size = static_cast<ElfW(Addr)>(sysconf(_SC_PAGESIZE));
  void* page = reinterpret_cast<void*>(at & ~(size - 1));
  if (read_only) mprotect(page, size, PROT_READ | PROT_WRITE);
  *reinterpret_cast<ElfW(Addr)*>(at) = reinterpret_cast<ElfW(Addr)>(&BindLoopback);
  if (read_only) mprotect(page, size, PROT_READ);
}

int Visit(dl_phdr_info* object, size_t, void* found) {
  if (std::strstr(object->dlpi_name, "libtensorflow") == nullptr) return 0;
  const ElfW(Addr) base = object->dlpi_addr;
  const ElfW(Dyn)* dynamic = nullptr;
  ElfW(Addr) sealed = 0, sealed_end = 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const ElfW(Dyn)*>(base + part.p_vaddr);
    if (part.p_type == PT_GNU_RELRO) sealed = base + part.p_vaddr, sealed_end = sealed + part.p_memsz;
  }
  if (dynamic == nullptr) return 0;
  const auto absolute = [base](ElfW(Addr) at) { return at < base ? base + at : at; };
  ElfW(Addr) symbols = 0, names = 0, tables[2] = {0, 0};
  size_t sizes[2] = {0, 0};
  for (; dynamic->d_tag != DT_NULL; dynamic++) {
    switch (dynamic->d_tag) {
      case DT_SYMTAB: symbols = absolute(dynamic->d_un.d_ptr); break;
      case DT_STRTAB: names = absolute(dynamic->d_un.d_ptr); break;
      case DT_JMPREL: tables[0] = absolute(dynamic->d_un.d_ptr); break;
      case DT_PLTRELSZ: sizes[0] = dynamic->d_un.d_val; break;
      case DT_RELA: tables[1] = absolute(dynamic->d_un.d_ptr); break;
      case DT_RELASZ: sizes[1] = dynamic->d_un.d_val; break;
    }
  }
  if (symbols == 0 || names == 0) return 0;
  for (int table = 0; table < 2; table++) {
    const auto* rows = reinterpret_cast<const ElfW(Rela)*>(tables[table]);
    for (size_t i = 0; rows != nullptr && i < sizes[table] / sizeof(ElfW(Rela)); i++) {
      const unsigned kind = ELF64_R_TYPE(rows[i].r_info);
      if (kind != kSlots[0] && kind != kSlots[sizeof(kSlots) / sizeof(kSlots[0]) - 1]) continue;
      const auto& symbol = reinterpret_cast<const ElfW(Sym)*>(symbols)[ELF64_R_SYM(rows[i].r_info)];
      if (std::strcmp(reinterpret_cast<const char*>(names) + symbol.st_name, "bind") != 0) continue;
      const ElfW(Addr) at = base + rows[i].r_offset;
      Write(at, at >= sealed && at < sealed_end);
      *static_cast<bool*>(found) = true;
    }
  }
  return 0;
}

}  // namespace

/** Makes TensorFlow's libraries listen on the loopback address where they ask for all interfaces. Returns whether that succeeded. */
bool ListenOnLoopbackAlone() {
  bool found = false;
  dl_iterate_phdr(Visit, &found);
  return found;
}

#else

bool ListenOnLoopbackAlone() { return false; }

#endif

// ---- the context ----
//
// TensorFlow.js's binding makes its context with the defaults, without TensorFlow's own options and its distributed runtime. The
// linker puts these functions in the place of TFE_NewContext and TFE_DeleteContext (-Wl,--wrap). The context is given a ConfigProto,
// and where there is a ServerDef the collectives of the process group that it lists. Both come as the hexadecimal digits of the
// serialized message in an environment variable, see ../collectives/rendezvous.ts.

namespace {

int Digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/** The bytes that a variable holds; none where it is not set. */
std::string Message(const char* variable) {
  const char* text = std::getenv(variable);
  std::string bytes;
  for (; text != nullptr && text[0] != '\0' && text[1] != '\0'; text += 2)
    bytes.push_back(static_cast<char>(Digit(text[0]) * 16 + Digit(text[1])));
  return bytes;
}

/** Discards standard error for its lifetime: the server announces its start there, whatever the level of logging. */
class Silence {
 public:
  Silence() : saved_(dup(2)) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 2);
    close(nowhere);
  }
  ~Silence() {
    dup2(saved_, 2);
    close(saved_);
  }

 private:
  const int saved_;
};

bool serving = false;

}  // namespace

extern "C" {

TFE_Context* __real_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status);
void __real_TFE_DeleteContext(TFE_Context* context);

TFE_Context* __wrap_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  const std::string config = Message("WEIR_CONTEXT_CONFIG");
  if (!config.empty()) {
    TFE_ContextOptionsSetConfig(const_cast<TFE_ContextOptions*>(options), config.data(), config.size(), status);
    if (TF_GetCode(status) != TF_OK) return nullptr;
  }
  TFE_Context* context = __real_TFE_NewContext(options, status);
  const std::string server = Message("WEIR_CONTEXT_SERVER");
  if (TF_GetCode(status) != TF_OK || server.empty()) return context;
  serving = true;
  // The environment tells the process that loads this whether others can reach the server.
  if (std::getenv("WEIR_CONTEXT_LOOPBACK") != nullptr && ListenOnLoopbackAlone()) setenv("WEIR_CONTEXT_ALONE", "1", 1);
  const Silence silence;
  TFE_EnableCollectiveOps(context, server.data(), server.size(), status);
  // The binding throws without the reason, so the environment carries it.
  if (TF_GetCode(status) != TF_OK) setenv("WEIR_CONTEXT_ERROR", TF_Message(status), 1);
  return context;
}

/** TensorFlow cannot end a context that serves cleanly. The process that deletes it is about to exit. */
void __wrap_TFE_DeleteContext(TFE_Context* context) {
  if (!serving) __real_TFE_DeleteContext(context);
}

}  // extern "C"
