// A folder feed with the packed package, made once a test run, and projects that use it from there.
using System.Diagnostics;
using Scaling.TestKit;

namespace Scaling.Build.Tests;

/// <summary>The package as `dotnet pack` makes it, with a packages folder of its own: the version never changes here, and an older package of it must not be found.</summary>
public sealed class PackageFeed : IDisposable
{
    private static readonly Lazy<PackageFeed> One = new(() =>
    {
        var feed = new PackageFeed();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => feed.Dispose();
        return feed;
    });

    private readonly TemporaryFolder folder = new();
    private readonly Lazy<TestRepository> fresh;

    private PackageFeed()
    {
        var pack = Command.Run(Repository.Root, "dotnet", ["pack", "tasks/Scaling.Build", "--no-build", "-c", Configuration, "-o", folder["feed"], "-v", "q", "-nologo"]);
        Assert.True(pack.ExitCode == 0, pack.Output);
        fresh = new Lazy<TestRepository>(() => TestRepository.FreshExample(this));
    }

    /// <summary>One for all classes, which run side by side; packing takes seconds.</summary>
    public static PackageFeed Shared => One.Value;

    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>The tool as the package has it, once a project was restored.</summary>
    public string Tool => folder["packages/scaling.build/0.1.0/tools/net10.0/any/dotnet-scaling.dll"];

    public string Package => folder["feed/Scaling.Build.0.1.0.nupkg"];

    /// <summary>A folder, whose name has a space, with a nuget.config of this feed alone.</summary>
    public TestRepository NewRepository() => new(this);

    /// <summary>The example as it lies in this repository, with results and a lock that the packed tool has just made: the committed lock holds the code of a release.</summary>
    public TestRepository FreshExample => fresh.Value;

    /// <summary>A copy of it, restored, on a machine whose store is empty.</summary>
    public TestRepository NewExample()
    {
        var copy = new TestRepository(this);
        copy.CopyFrom(FreshExample.Folder);
        TestRepository.Passed(copy.Dotnet("restore", "-v", "q"));
        return copy;
    }

    public string NuGetConfig =>
        $"""
        <configuration>
          <config><add key="globalPackagesFolder" value="{folder["packages"]}" /></config>
          <packageSources><clear /><add key="feed" value="{folder["feed"]}" /></packageSources>
        </configuration>
        """;

    public void Dispose()
    {
        if (fresh.IsValueCreated)
        {
            fresh.Value.Dispose();
        }

        folder.Dispose();
    }
}

/// <summary>How a command ended.</summary>
/// <param name="ExitCode">Of the process.</param>
/// <param name="Output">Both of its outputs.</param>
public sealed record Command(int ExitCode, string Output)
{
    /// <summary>Runs a program in a folder. The store is one of the test's.</summary>
    public static Command Run(string folder, string program, IEnumerable<string> arguments, string? store = null)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["SCALING_CACHE"] = store ?? "/nonexistent";
        foreach (string inherited in start.Environment.Keys.Where(k => k.StartsWith("MSBuild", StringComparison.Ordinal) || k is "NUGET_PACKAGES" or "MSBUILD_EXE_PATH" or "VSTEST_DISABLE_ARTIFACTS_POSTPROCESSING").ToArray())
        {
            start.Environment.Remove(inherited);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end within five minutes");
        }

        return new Command(process.ExitCode, output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult());
    }
}

/// <summary>A model repository in a temporary folder.</summary>
public sealed class TestRepository : IDisposable
{
    private readonly TemporaryFolder outer = new();
    private readonly PackageFeed feed;

    public TestRepository(PackageFeed feed)
    {
        this.feed = feed;
        Directory.CreateDirectory(Folder);
        Write("nuget.config", feed.NuGetConfig);
    }

    public string Folder => outer["a model"];

    public string Store => outer["store"];

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>A copy of the example, run.</summary>
    public static TestRepository FreshExample(PackageFeed feed)
    {
        var copy = new TestRepository(feed);
        copy.CopyFrom(Path.Combine(Repository.Root, "examples", "ModelRepository"));
        Passed(copy.Dotnet("restore", "-v", "q"));
        Passed(copy.Tool("run", "study.yaml"));
        return copy;
    }

    /// <summary>Takes what is in another folder, but for what builds left there and its feeds.</summary>
    public void CopyFrom(string other)
    {
        foreach (string file in Directory.EnumerateFiles(other, "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(other, file);
            if (name != "nuget.config" && name.Split('/')[0] is not ("bin" or "obj"))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
                File.Copy(file, this[name]);
            }
        }
    }

    /// <summary>The smallest pipeline that exports something, and its inputs.</summary>
    public void WriteStudy(string name = "study.yaml")
    {
        string example = Path.Combine(Repository.Root, "examples", "ModelRepository");
        Write(name, File.ReadAllText(Path.Combine(example, "study.yaml")));
        foreach (string input in Directory.EnumerateFiles(Path.Combine(example, "inputs")))
        {
            Write(Path.Combine(Path.GetDirectoryName(name)!, "inputs", Path.GetFileName(input)), File.ReadAllText(input));
        }
    }

    public void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
    }

    public void Edit(string name, string old, string now)
    {
        string text = File.ReadAllText(this[name]);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(this[name], text.Replace(old, now, StringComparison.Ordinal));
    }

    public Command Dotnet(params string[] arguments) => Command.Run(Folder, "dotnet", arguments, Store);

    /// <summary>What a build does of pipelines, and nothing else of it: no compiler.</summary>
    public Command Examine(params string[] more) =>
        Dotnet(["msbuild", "-nologo", "-t:AddScalingResults", "-p:BuildingProject=true", .. more]);

    public Command Tool(params string[] arguments) => Command.Run(Folder, "dotnet", ["exec", feed.Tool, .. arguments], Store);

    /// <summary>Text as everybody's machine shows it.</summary>
    public string Portable(string text) => text.Replace(Folder, "FOLDER", StringComparison.Ordinal);

    public static Command Passed(Command command)
    {
        Assert.True(command.ExitCode == 0, command.Output);
        return command;
    }

    public void Dispose() => outer.Dispose();
}
