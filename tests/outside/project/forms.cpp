// Forms, uploads and signed cookies.
#include <millrace/millrace.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

struct Profile {
  std::string name;
  std::optional<int> age;
  bool news = false;
  std::vector<mr::FormFile> pictures;
};
MR_JSON(Profile, name, age, news, pictures)

int main(int argc, char** argv) {
  mr::App app;
  app.post("/profile", [](mr::Form<Profile> form) {
    const Profile& profile = form.value;
    return profile.name + " sends " + std::to_string(profile.pictures.size()) + " pictures";
  });

  app.post("/upload", [](mr::Request& request) -> mr::Task<mr::Response> {
    mr::Multipart form(request);
    while (mr::Part* part = co_await form.next()) {
      if (!part->is_file()) continue;  // What is not read is passed over.
      mr::StoredFile file = co_await part->save("/srv/uploads");
      file.keep(part->filename());
    }
    co_return mr::redirect("/");
  });

  const mr::SignedCookies session({"32 random bytes that nobody knows"});
  app.post("/login", [&] {
    mr::Response response = mr::redirect("/me");
    session.set(response, "user", "42", {.max_age = std::chrono::hours(8), .secure = true});
    return response;
  });
  app.get("/me", [&](mr::Request& request) { return session.get(request, "user").value_or("nobody"); });

  app.get("/report",
          [] { return mr::Response("a,b\n1,2\n").content_type("text/csv").attachment("J\u00f6rg.csv"); });
  return app.run(argc, argv);
}
