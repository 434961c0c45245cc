#pragma once
// A folder that appears complete or not at all.

#include <string>

namespace tarsier::zoo {

/// Files are written into `path`.tmp.<process id>, which commit() renames: nobody sees half a
/// folder, even if the process is killed.
///   NewFolder folder("runs/gpt-onnx");  write(folder.file("model.onnx"));  folder.commit();
class NewFolder {
 public:
  /// Throws Error("export") if `path` exists already, which is never overwritten, or if the folder
  /// cannot be made.
  explicit NewFolder(const std::string& path);
  /// Removes what was written, unless commit() was called.
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  /// Where it will be.
  const std::string& path() const { return path_; }
  /// Where it is now: files are written here.
  const std::string& place() const { return place_; }
  std::string file(const std::string& name) const { return place_ + "/" + name; }
  /// Throws Error("export") if there is another folder now.
  void commit();

 private:
  std::string path_, place_;
};

}  // namespace tarsier::zoo
