// Plugins that are packages: added, run, cached, explained, refused where they are not what they should be.
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class PluginPackageTests : IDisposable
{
    private const string Stages = """
        stages:
          rows: { uses: echo, with: { text: "a,bb", count: 2 } }
          squares: { uses: square, needs: rows }

        """;

    private static readonly string Plugin = Tool.TestPlugin;
    private readonly Tool _tool = new();

    public PluginPackageTests() => _tool.UseFeed();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void A_package_is_added_runs_is_cached_is_explained_and_runs_again_when_it_changes()
    {
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        _tool.Folder.Write("study.yaml", "# a study\nname: study\n" + Stages);

        var added = Succeeds("plugin", "add", "Acme.Stages", "study.yaml");
        Assert.Contains("'square'", added.Error);
        Assert.Equal("# a study\nname: study\nplugins:\n  - { package: Acme.Stages, version: 1.0.0 }\n" + Stages, File.ReadAllText(_tool.Folder["study.yaml"]));
        Assert.Equal("Acme.Stages", (string?)Lock()["plugins"]![0]!["package"]);

        Assert.Equal((1, 2), Executed("study.yaml"));
        Assert.Equal((0, 0), Executed("study.yaml", "--locked"));
        Assert.Contains("nothing to do, cached", Succeeds("why", "rows", "study.yaml").Output);
        Assert.Contains("Acme.Stages 1.0.0, unsigned", Succeeds("plugin", "list", "study.yaml").Output);
        Assert.Contains("1 package verified, no findings.", Succeeds("plugin", "verify", "study.yaml").Output);

        Pack("Acme.Stages", "1.0.1", [Plugin], name: "Acme.Stages.dll", change: true);
        _tool.Folder.Write("study.yaml", File.ReadAllText(_tool.Folder["study.yaml"]).Replace("1.0.0", "1.0.1"));

        Refused("SCAL6015", 3, "run", "study.yaml", "--locked");
        Assert.Contains("the assembly Acme.Stages.dll changed", Succeeds("why", "squares", "study.yaml").Output);
        Assert.Equal((0, 2), Executed("study.yaml")); // The rows were made when why looked.
        Assert.Contains("1.0.1 ", Lock()["plugins"]![0]!["closure"]!["Acme.Stages"]!.GetValue<string>());
    }

    [Fact]
    public void A_floating_version_stays_where_the_lock_has_it()
    {
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        _tool.Folder.Write("study.yaml", "plugins: [ { package: Acme.Stages, version: 1.* } ]\n" + Stages);
        Refused("SCAL6108", 3, "run", "study.yaml", "--locked");
        Assert.Equal((1, 2), Executed("study.yaml"));
        Refused("SCAL6108", 3, "run", "study.yaml", "--locked");

        Pack("Acme.Stages", "1.1.0", [Plugin], name: "Acme.Stages.dll", change: true);

        Assert.Equal((0, 0), Executed("study.yaml"));
        File.Delete(_tool.Folder["study.lock.json"]);
        Assert.Equal((1, 2), Executed("study.yaml"));
    }

    [Fact]
    public void A_plugin_brings_its_own_version_of_a_library_that_the_tool_uses()
    {
        string yaml = Path.Combine(Path.GetDirectoryName(Plugin)!, "YamlDotNet.dll");
        string tools = Path.Combine(Path.GetDirectoryName(Tool.Program)!, "YamlDotNet.dll");
        Assert.NotEqual(System.Reflection.AssemblyName.GetAssemblyName(tools).Version, System.Reflection.AssemblyName.GetAssemblyName(yaml).Version);
        Pack("YamlDotNet", "16.3.0", [yaml]);
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll", dependencies: """<dependency id="YamlDotNet" version="16.3.0" />""");
        _tool.Folder.Write("study.yaml", "plugins: [ { package: Acme.Stages, version: 1.0.0 } ]\nstages:\n  which: { uses: library }\n");

        Succeeds("run", "study.yaml");

        Assert.Equal($"{System.Reflection.AssemblyName.GetAssemblyName(yaml).Version}\n", File.ReadAllText(_tool.Folder["results/study/which/version.txt"]));
    }

    [Fact]
    public void A_package_that_is_not_the_locked_one_is_refused_and_nothing_is_published()
    {
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        _tool.Folder.Write("study.yaml", "plugins: [ { package: Acme.Stages, version: 1.0.0 } ]\n" + Stages);
        Succeeds("plugin", "restore", "study.yaml");

        // Elsewhere the feed has other content under the same version, and nothing is installed yet.
        Directory.Delete(_tool.Folder["packages"], recursive: true);
        Directory.Delete(_tool.Folder["store"], recursive: true);
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll", change: true);

        Refused("SCAL6120", 4, "run", "study.yaml");
        Refused("SCAL6120", 4, "run", "study.yaml", "--locked");
        Assert.Empty(Directory.EnumerateFiles(_tool.Folder["journal"]));
    }

    [Fact]
    public void A_lock_that_is_not_the_pipelines_does_not_pass_for_verified()
    {
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        Pack("Acme.Stages", "1.1.0", [Plugin], name: "Acme.Stages.dll", change: true);
        _tool.Folder.Write("study.yaml", "plugins: [ { package: Acme.Stages, version: 1.0.0 } ]\n" + Stages);
        Succeeds("plugin", "restore", "study.yaml");
        Assert.Contains("\"packages\": 1,\n  \"findings\": []", Succeeds("plugin", "verify", "study.yaml", "--json").Output);
        _tool.Folder.Write("study.yaml", "plugins: [ { package: Acme.Stages, version: 1.1.0 } ]\n" + Stages);

        Refused("SCAL6015", 3, "plugin", "verify", "study.yaml");
    }

    [Fact]
    public void A_tampered_package_is_refused()
    {
        string package = Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        _tool.Folder.Write("study.yaml", "plugins: [ { package: Acme.Stages, version: 1.0.0 } ]\n" + Stages);
        Succeeds("plugin", "restore", "study.yaml");
        Directory.Delete(_tool.Folder["packages"], recursive: true);
        Directory.Delete(_tool.Folder["store"], recursive: true);
        byte[] bytes = File.ReadAllBytes(package);
        bytes[bytes.Length / 3] ^= 1;
        File.WriteAllBytes(package, bytes);

        var run = _tool.Run("run", "study.yaml");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("study.yaml(1,23): error SCAL612", run.Error);
        Assert.Empty(Directory.EnumerateFiles(_tool.Folder["journal"]));
    }

    [Fact]
    public void A_layout_that_was_edited_is_made_again()
    {
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        _tool.Folder.Write("study.yaml", "plugins: [ { package: Acme.Stages, version: 1.0.0 } ]\n" + Stages);
        Assert.Equal((1, 2), Executed("study.yaml"));
        string laidOut = Directory.EnumerateFiles(_tool.Folder["store"], "Acme.Stages.dll", SearchOption.AllDirectories).Single();
        byte[] right = File.ReadAllBytes(laidOut);
        File.WriteAllBytes(laidOut, [.. right, 0]);

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((0, 0), (run.ExitCode, run.Executed));
        Assert.Contains("warning SCAL6140", run.Error);
        Assert.Equal(right, File.ReadAllBytes(laidOut));
    }

    [Theory]
    [InlineData("SCAL6102", 3)] // no such package
    [InlineData("SCAL6103", 3)] // no such version
    [InlineData("SCAL6104", 3)] // a dependency that is nowhere
    [InlineData("SCAL6110", 3)] // nothing for net10.0
    [InlineData("SCAL6111", 3)] // no assembly at all
    [InlineData("SCAL6003", 3)] // assemblies, but no stage
    [InlineData("SCAL6002", 3)] // a stage that throws when it is made
    [InlineData("SCAL6014", 3)] // built for another contract
    public Task What_is_no_plugin_for_this_tool_is_refused_with_its_place(string code, int exit)
    {
        string version = "1.0.0";
        switch (code)
        {
            case "SCAL6103":
                Pack("Acme.Stages", "2.0.0", [Plugin], name: "Acme.Stages.dll");
                break;
            case "SCAL6104":
                Pack("Acme.Stages", version, [Plugin], name: "Acme.Stages.dll", dependencies: """<dependency id="Acme.Nowhere" version="3.0.0" />""");
                break;
            case "SCAL6110":
                Pack("Acme.Stages", version, [Plugin], name: "Acme.Stages.dll", framework: "net11.0");
                break;
            case "SCAL6111":
                Pack("Acme.Stages", version, []);
                break;
            case "SCAL6003":
                Pack("Acme.Stages", version, [typeof(Snapshot).Assembly.Location], name: "Acme.Stages.dll");
                break;
            case "SCAL6002":
                Pack("Acme.Stages", version, [Tool.FaultyPlugin], name: "Acme.Stages.dll");
                break;
            case "SCAL6014":
                byte[] newer = ForContract(File.ReadAllBytes(Plugin), 2);
                Pack("Acme.Stages", version, [Written("newer.dll", newer)], name: "Acme.Stages.dll");
                break;
        }

        _tool.Folder.Write("study.yaml", $"plugins:\n  - {{ package: Acme.Stages, version: {version} }}\n" + Stages);

        var run = _tool.Run("run", "study.yaml");

        Assert.Equal(exit, run.ExitCode);
        string told = string.Concat(run.Error.Split('\n').Where(l => l.Length > 0 && !l.StartsWith("fetching ", StringComparison.Ordinal) && !l.StartsWith("  ", StringComparison.Ordinal)).Select(l => l + "\n"));
        Assert.StartsWith($"study.yaml(2,16): error {code}: ", told);
        Assert.Empty(Directory.EnumerateFiles(_tool.Folder["journal"]));
        return Snapshot.Match(_tool.Portable(told), code);
    }

    [Theory]
    [InlineData("escape", "SCAL6012")]
    [InlineData("beside", "SCAL6016")]
    [InlineData("link", "SCAL6016")]
    [InlineData("hang", "SCAL5001")]
    [InlineData("exit", "SCAL5001")]
    [InlineData("throw", "SCAL5002")]
    public void A_stage_of_a_package_that_misbehaves_is_one_failure_and_publishes_nothing(string how, string code)
    {
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        _tool.Folder.Write("study.yaml", $"plugins: [ {{ package: Acme.Stages, version: 1.0.0 }} ]\nstages:\n  bad: {{ uses: misbehave, with: {{ how: {how} }}, timeout: {(how == "hang" ? "1s" : "1m")} }}\n  good: {{ uses: echo }}\n");

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((1, 1, 1), (run.ExitCode, run.Count("bad", "failed"), run.Count("good", "executed")));
        Assert.Contains(code, run.Error);
        Assert.False(File.Exists(_tool.Folder["results/study/bad/done.txt"]));
        Assert.Equal(1, _tool.Run("run", "study.yaml", "--json").Count("bad", "failed"));
    }

    [Theory]
    [InlineData("stages:\n  a: { uses: echo }\n", "plugins:\n  - { package: Acme.Stages, version: 1.0.0 }\nstages:\n  a: { uses: echo }\n")]
    [InlineData("name: x\n\n# what it does\nstages:\n  a: { uses: echo }\n", "name: x\n\nplugins:\n  - { package: Acme.Stages, version: 1.0.0 }\n# what it does\nstages:\n  a: { uses: echo }\n")]
    [InlineData("plugins:\nstages: { a: { uses: echo } }\n", "plugins:\n  - { package: Acme.Stages, version: 1.0.0 }\nstages: { a: { uses: echo } }\n")]
    [InlineData("plugins:   # ours\n    - { path: PLUGIN }\nstages: { a: { uses: echo } }\n", "plugins:   # ours\n    - { package: Acme.Stages, version: 1.0.0 }\n    - { path: PLUGIN }\nstages: { a: { uses: echo } }\n")]
    [InlineData("plugins: [ { path: PLUGIN } ]\nstages: { a: { uses: echo } }\n", "plugins: [ { package: Acme.Stages, version: 1.0.0 }, { path: PLUGIN } ]\nstages: { a: { uses: echo } }\n")]
    public void Adding_leaves_everything_else_of_the_file_as_it_is(string before, string after)
    {
        Pack("Acme.Stages", "1.0.0", [Plugin], name: "Acme.Stages.dll");
        _tool.Folder.Write("study.yaml", before.Replace("PLUGIN", Tool.HelloStage));

        Succeeds("plugin", "add", "Acme.Stages", "study.yaml");

        Assert.Equal(after.Replace("PLUGIN", Tool.HelloStage), File.ReadAllText(_tool.Folder["study.yaml"]));
        Refused("SCAL1012", 2, "plugin", "add", "acme.stages", "study.yaml");
    }

    [Fact]
    public void What_cannot_be_added_leaves_no_trace()
    {
        Pack("Acme.Faulty", "1.0.0", [Tool.FaultyPlugin], name: "Acme.Faulty.dll");
        _tool.Folder.Write("study.yaml", Stages);

        Refused("SCAL6002", 1, "plugin", "add", "Acme.Faulty", "study.yaml");
        Refused("SCAL6102", 1, "plugin", "add", "Acme.Stagse", "study.yaml");

        Assert.Equal(Stages, File.ReadAllText(_tool.Folder["study.yaml"]));
        Assert.False(File.Exists(_tool.Folder["study.lock.json"]));
        Refused("SCAL1013", 2, "plugin", "verify", "study.yaml");
    }

    /// <summary>Writes a package into the feed.</summary>
    private string Pack(string id, string version, string[] assemblies, string? name = null, string dependencies = "", string framework = "net10.0", bool change = false)
    {
        string path = _tool.Folder[$"feed/{id}.{version}.nupkg"];
        File.Delete(path);
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Write($"{id}.nuspec", Encoding.UTF8.GetBytes($"""
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
              <metadata>
                <id>{id}</id><version>{version}</version><authors>acme</authors><description>A package of a test.</description>
                <dependencies><group targetFramework="{framework}">{dependencies}</group></dependencies>
              </metadata>
            </package>
            """));
        foreach (string assembly in assemblies)
        {
            byte[] content = File.ReadAllBytes(assembly);
            Write($"lib/{framework}/{name ?? Path.GetFileName(assembly)}", change ? [.. content, 0] : content); // A byte more: another assembly that does the same.
        }

        return path;

        void Write(string entry, byte[] content)
        {
            using var stream = archive.CreateEntry(entry).Open();
            stream.Write(content);
        }
    }

    /// <summary>The assembly as if it had been built against another revision of the contract: the version in its reference changed.</summary>
    private static byte[] ForContract(byte[] assembly, ushort revision)
    {
        using var image = new System.Reflection.PortableExecutable.PEReader(new MemoryStream(assembly));
        var metadata = System.Reflection.Metadata.PEReaderExtensions.GetMetadataReader(image);
        int tables = image.PEHeaders.MetadataStartOffset;
        int row = 0;
        foreach (var handle in metadata.AssemblyReferences)
        {
            if (metadata.GetString(metadata.GetAssemblyReference(handle).Name) == "Scaling.Sdk")
            {
                int start = tables + System.Reflection.Metadata.Ecma335.MetadataReaderExtensions.GetTableMetadataOffset(metadata, System.Reflection.Metadata.Ecma335.TableIndex.AssemblyRef)
                    + (row * System.Reflection.Metadata.Ecma335.MetadataReaderExtensions.GetTableRowSize(metadata, System.Reflection.Metadata.Ecma335.TableIndex.AssemblyRef));
                BitConverter.TryWriteBytes(assembly.AsSpan(start), revision); // MajorVersion is the row's first column (ECMA-335 II.22.5).
            }

            row++;
        }

        return assembly;
    }

    private string Written(string name, byte[] content)
    {
        File.WriteAllBytes(_tool.Folder[name], content);
        return _tool.Folder[name];
    }

    private JsonNode Lock() => JsonNode.Parse(File.ReadAllText(_tool.Folder["study.lock.json"]))!;

    private (int Rows, int Squares) Executed(params string[] arguments)
    {
        var run = Succeeds(["run", .. arguments, "--json"]);
        return (run.Count("rows", "executed"), run.Count("squares", "executed"));
    }

    private Ended Succeeds(params string[] arguments)
    {
        var ended = _tool.Run(arguments);
        Assert.True(ended.ExitCode == 0, ended.Output + ended.Error);
        return ended;
    }

    private void Refused(string code, int exit, params string[] arguments)
    {
        var ended = _tool.Run(arguments);
        Assert.Contains($"error {code}: ", ended.Error);
        Assert.Equal(exit, ended.ExitCode);
    }
}
