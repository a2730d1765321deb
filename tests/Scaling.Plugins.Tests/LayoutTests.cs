// What a plugin's folder holds, and that .NET's own resolver finds it there.
using System.Runtime.Loader;
using System.Text.Json.Nodes;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Plugins.Tests;

public sealed class LayoutTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_layout_is_what_publishing_a_portable_application_gives()
    {
        _place.Add(
            Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "1.0.0")
                .With("lib/net10.0/native.json", """{"packages":[]}""").With("lib/net10.0/data/words.txt", "words").With("lib/net10.0/Hello.xml", "<doc/>").With("lib/net10.0/de/Hello.resources.dll", Nupkg.Assembly("Hello.resources", "1.0.0.0"))
                .With("lib/net8.0/Hello.dll", "the wrong one").With("build/Hello.props", "<Project/>").With("content/x.txt", "x"),
            Nupkg.Library("Lib", "1.0.0").With("lib/net8.0/Lib.xml", "<doc/>").With("lib/net8.0/de/Lib.resources.dll", "x").With("lib/net461/Lib.dll", "x")
                .With("runtimes/linux-x64/native/libthing.so", "a library").With("runtimes/win-x64/native/thing.dll", "a library")
                .With("runtimes/unix/lib/net8.0/Lib.dll", Nupkg.Assembly("Lib", "1.0.0.0")));

        var layout = await _place.LayOut("Hello", "1.0.0");

        Assert.StartsWith(Path.Combine(_place.Cache, "plugins", "Hello.1.0.0-"), layout.Folder);
        var files = Directory.EnumerateFiles(layout.Folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(layout.Folder, f)).Order(StringComparer.Ordinal);
        await Snapshot.Match(string.Join('\n', files) + "\n\n" + File.ReadAllText(Path.Combine(layout.Folder, "Hello.deps.json")));
    }

    [Fact]
    public async Task The_resolver_of_dotnet_finds_assemblies_and_native_libraries_in_a_layout()
    {
        _place.Add(
            Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "1.0.0").Needs("Split", "1.0.0"),
            Nupkg.Library("Lib", "1.0.0").With("runtimes/linux-x64/native/libthing.so", "a library"),
            Nupkg.Library("Split", "1.0.0").With("runtimes/linux/native/libother.so", "a library").With("runtimes/unix/lib/net8.0/Split.dll", Nupkg.Assembly("Split", "1.0.0.0")).With("runtimes/win/lib/net8.0/Split.dll", Nupkg.Assembly("Split", "1.0.0.0")));

        var layout = await _place.LayOut("Hello", "1.0.0");
        var resolver = new AssemblyDependencyResolver(layout.Assembly);

        Assert.Equal(Path.Combine(layout.Folder, "Hello.dll"), layout.Assembly);
        Assert.Equal(Path.Combine(layout.Folder, "Lib.dll"), resolver.ResolveAssemblyToPath(new("Lib")));
        Assert.Equal(Path.Combine(layout.Folder, "runtimes", "unix", "lib", "net8.0", "Split.dll"), resolver.ResolveAssemblyToPath(new("Split")));
        Assert.Equal(Path.Combine(layout.Folder, "runtimes", "linux-x64", "native", "libthing.so"), resolver.ResolveUnmanagedDllToPath("thing"));
        Assert.Equal(Path.Combine(layout.Folder, "runtimes", "linux", "native", "libother.so"), resolver.ResolveUnmanagedDllToPath("other"));
        Assert.Null(resolver.ResolveAssemblyToPath(new("Scaling.Sdk")));
    }

    [Fact]
    public async Task Another_version_of_a_library_that_the_tool_uses_is_laid_out_with_the_plugin()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("YamlDotNet", "11.2.1"), Nupkg.Library("YamlDotNet", "11.2.1", assemblyVersion: "11.0.0.0"));

        var layout = await _place.LayOut("Hello", "1.0.0");
        var context = new AssemblyLoadContext("plugin", isCollectible: true);
        var loaded = context.LoadFromAssemblyPath(new AssemblyDependencyResolver(layout.Assembly).ResolveAssemblyToPath(new("YamlDotNet"))!);

        Assert.Equal("11.0.0.0", loaded.GetType("YamlDotNet.Thing")!.GetMethod("Answer")!.Invoke(null, null));
        context.Unload();
    }

    [Fact]
    public async Task Native_libraries_are_left_out_below_a_dependency_that_excludes_them()
    {
        _place.Add(
            Nupkg.Plugin("Hello", "1.0.0").Needs("Heavy", "1.0.0", exclude: "Native").Needs("Light", "1.0.0"),
            Nupkg.Library("Heavy", "1.0.0").Needs("Below", "1.0.0").Needs("Shared", "1.0.0").With("runtimes/linux-x64/native/libheavy.so", "x"),
            Nupkg.Library("Below", "1.0.0").With("runtimes/linux-x64/native/libbelow.so", "x"),
            Nupkg.Library("Light", "1.0.0").Needs("Shared", "1.0.0").With("runtimes/linux-x64/native/liblight.so", "x"),
            Nupkg.Library("Shared", "1.0.0").With("runtimes/linux-x64/native/libshared.so", "x"));

        var layout = await _place.LayOut("Hello", "1.0.0");

        Assert.Equal(["liblight.so", "libshared.so"], Directory.EnumerateFiles(Path.Combine(layout.Folder, "runtimes", "linux-x64", "native")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(["Heavy", "Below", "Light", "Shared"], name => Assert.True(File.Exists(Path.Combine(layout.Folder, name + ".dll"))));
    }

    [Fact]
    public async Task Native_libraries_of_packages_that_native_json_lists_are_left_out()
    {
        _place.Add(
            Nupkg.Plugin("Hello", "1.0.0").Needs("Heavy", "1.0.0").With("lib/net10.0/native.json", """{"packages":[{"id":"heavy","version":"1.0.0"}]}"""),
            Nupkg.Library("Heavy", "1.0.0").With("runtimes/linux-x64/native/libheavy.so", "x"));

        var layout = await _place.LayOut("Hello", "1.0.0");

        Assert.True(File.Exists(Path.Combine(layout.Folder, "Heavy.dll")));
        Assert.False(Directory.Exists(Path.Combine(layout.Folder, "runtimes")));
    }

    [Fact]
    public async Task Of_several_assemblies_of_one_name_the_highest_version_stays_and_dotnets_own_and_the_contract_go()
    {
        _place.Add(
            Nupkg.Plugin("Hello", "1.0.0").Needs("Old", "1.0.0").Needs("New", "1.0.0").With("lib/net10.0/Scaling.Sdk.dll", Nupkg.Assembly("Scaling.Sdk", "1.0.0.0"))
                .With("lib/net10.0/System.Text.Json.dll", Nupkg.Assembly("System.Text.Json", "8.0.0.0")),
            Nupkg.Library("Old", "1.0.0").With("lib/net8.0/Common.dll", Nupkg.Assembly("Common", "1.0.0.0")),
            Nupkg.Library("New", "1.0.0").With("lib/net8.0/Common.dll", Nupkg.Assembly("Common", "2.0.0.0")).With("lib/net8.0/System.Linq.dll", Nupkg.Assembly("System.Linq", "99.0.0.0")));

        var layout = await _place.LayOut("Hello", "1.0.0");

        Assert.Equal("2.0.0.0", $"{System.Reflection.AssemblyName.GetAssemblyName(Path.Combine(layout.Folder, "Common.dll")).Version}");
        Assert.Equal(["Common.dll", "Hello.dll", "New.dll", "Old.dll", "System.Linq.dll"], Directory.EnumerateFiles(layout.Folder, "*.dll").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("SCAL6144", Assert.Single(_place.Heard.Warnings).Code);
    }

    [Fact]
    public async Task A_dependency_for_an_older_framework_is_taken_with_a_warning()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("Old", "1.0.0"), new Nupkg("Old", "1.0.0").With("lib/net461/Old.dll", Nupkg.Assembly("Old", "1.0.0.0")));

        var layout = await _place.LayOut("Hello", "1.0.0");

        Assert.True(File.Exists(Path.Combine(layout.Folder, "Old.dll")));
        Assert.Equal("SCAL6143", Assert.Single(_place.Heard.Warnings).Code);
    }

    [Fact]
    public async Task A_package_that_is_no_plugin_says_why()
    {
        byte[] assembly = Nupkg.Assembly("X", "1.0.0.0");
        _place.Add(
            new Nupkg("Empty", "1.0.0"),
            new Nupkg("Future", "1.0.0").With("lib/net11.0/Future.dll", assembly).With("lib/net12.0/Future.dll", assembly),
            new Nupkg("Several", "1.0.0").With("lib/net10.0/A.dll", assembly).With("lib/net10.0/B.dll", assembly),
            new Nupkg("OldLibrary", "1.0.0").With("lib/uap10.0/OldLibrary.dll", assembly),
            Nupkg.Plugin("NeedsOld", "1.0.0").Needs("OldLibrary", "1.0.0"));
        var text = new List<string>();
        foreach (string id in new[] { "Empty", "Future", "Several", "NeedsOld" })
        {
            text.Add((await Assert.ThrowsAsync<StageFailedException>(() => _place.LayOut(id, "1.0.0"))).Message);
        }

        await Snapshot.Match(string.Join("\n\n", text));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_place.Cache, "plugins")));
    }

    [Fact]
    public async Task The_only_assembly_is_the_main_one_whatever_its_name()
    {
        _place.Add(new Nupkg("Hello.Package", "1.0.0").With("lib/net10.0/Hello.dll", Nupkg.Assembly("Hello", "1.0.0.0")));

        var layout = await _place.LayOut("Hello.Package", "1.0.0");

        Assert.Equal("Hello.dll", Path.GetFileName(layout.Assembly));
        Assert.True(File.Exists(Path.Combine(layout.Folder, "Hello.deps.json")));
    }

    [Fact]
    public async Task A_layout_is_found_again_and_proved_without_any_package()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "1.0.0"), Nupkg.Library("Lib", "1.0.0"));
        var closure = await _place.Resolve("Hello", "1.0.0");
        var made = await _place.LayOut(closure);
        Directory.Delete(_place.Global, recursive: true);

        var found = PluginLayout.Find(_place.Cache, closure.Locked, ProofCache.Take, _place.Heard.Warned)!;

        Assert.Equal((made.Folder, made.Assembly, made.Contract), (found.Folder, found.Assembly, found.Contract));
        Assert.Equal(made.Packages, found.Packages);
        Assert.Null(PluginLayout.Find(_place.Cache, [closure.Locked[0]], ProofCache.Take, _place.Heard.Warned));
        Assert.Empty(_place.Heard.Warnings);
    }

    [Theory]
    [InlineData("changed")]
    [InlineData("missing")]
    [InlineData("stranger")]
    [InlineData("proof")]
    public async Task A_damaged_layout_is_moved_aside_told_and_made_again(string damage)
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "1.0.0"), Nupkg.Library("Lib", "1.0.0"));
        var closure = await _place.Resolve("Hello", "1.0.0");
        var made = await _place.LayOut(closure);
        string library = Path.Combine(made.Folder, "Lib.dll");
        byte[] before = File.ReadAllBytes(library);
        switch (damage)
        {
            case "changed": File.AppendAllText(library, "x"); break;
            case "missing": File.Delete(library); break;
            case "stranger": File.WriteAllText(Path.Combine(made.Folder, "Stranger.dll"), "x"); break;
            default: File.WriteAllText(Path.Combine(made.Folder, "layout.json"), "{"); break;
        }

        using (var sources = _place.Open())
        {
            Assert.Equal("SCAL6127", Assert.Single(await sources.Verify(closure.Locked, default)).Code);
        }

        var again = await _place.LayOut(closure);

        Assert.Equal(made.Folder, again.Folder);
        Assert.Equal(before, File.ReadAllBytes(library));
        Assert.Equal("SCAL6140", Assert.Single(_place.Heard.Warnings).Code);
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(_place.Cache, "plugins", ".damaged")));
        Assert.False(File.Exists(Path.Combine(made.Folder, "Stranger.dll")));
    }

    [Fact]
    public async Task Two_that_lay_out_one_plugin_at_once_get_the_same_folder()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "1.0.0"), Nupkg.Library("Lib", "1.0.0"));

        var layouts = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => _place.LayOut("Hello", "1.0.0"))));

        Assert.Single(layouts.Select(l => l.Folder).Distinct());
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(_place.Cache, "plugins")));
        Assert.Empty(_place.Heard.Warnings);
        Assert.NotNull(PluginLayout.Find(_place.Cache, layouts[0].Packages, ProofCache.Take, _place.Heard.Warned));
    }

    [Fact]
    public async Task A_file_that_would_lie_outside_the_folder_is_refused()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));
        using (var zip = System.IO.Compression.ZipFile.Open(Path.Combine(_place.Feed, "Hello.1.0.0.nupkg"), System.IO.Compression.ZipArchiveMode.Update))
        {
            using var stream = zip.CreateEntry("lib/net10.0/../../../escaped.txt").Open();
            stream.WriteByte(1);
        }

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => _place.LayOut("Hello", "1.0.0"));

        Assert.Contains(failure.Diagnostics[0].Code, new[] { "SCAL6121", "SCAL6125" });
        Assert.False(File.Exists(Path.Combine(_place.Cache, "escaped.txt")));
    }

    [Fact]
    public async Task A_native_json_that_cannot_be_read_is_named()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").With("lib/net10.0/native.json", "{"));

        Assert.Contains("native.json", (await Assert.ThrowsAsync<StageFailedException>(() => _place.LayOut("Hello", "1.0.0"))).Message);
    }

    [Fact]
    public async Task The_proof_lists_every_file_with_its_digest()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));

        var layout = await _place.LayOut("Hello", "1.0.0");

        var proof = JsonNode.Parse(File.ReadAllText(Path.Combine(layout.Folder, "layout.json")))!;
        Assert.Equal(["Hello.deps.json", "Hello.dll"], proof["files"]!.AsObject().Select(f => f.Key));
        Assert.Equal(ProofCache.Take(layout.Assembly), proof["files"]!["Hello.dll"]!.GetValue<string>());
    }
}
