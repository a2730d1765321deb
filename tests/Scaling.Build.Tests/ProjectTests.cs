// The package in projects of every kind: several frameworks, pipelines and projects, editors' looks, mistakes.
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.Build.Tests;

public sealed class ProjectTests
{
    private static PackageFeed Feed => PackageFeed.Shared;

    [Fact]
    public void Several_frameworks_projects_and_pipelines_build_side_by_side()
    {
        using var model = Feed.NewRepository();
        model.WriteStudy("shared study/study.yaml");
        model.Edit("shared study/study.yaml", "name: model", "name: shared");
        model.WriteStudy("one/own.yaml");
        model.Edit("one/own.yaml", "name: model", "name: own");
        model.Write("one/One.csproj", Project("net10.0;net10.0-windows", """<ScalingPipeline Include="../shared study/study.yaml" As="EmbeddedResource" Record="One.Shared" /><ScalingPipeline Include="own.yaml" As="Content" Record="One.Own" />"""));
        model.Write("one/Uses.cs", "namespace One; public static class Uses { public static int Of => Shared.Accurate.HiddenSize + Own.Efficient.HiddenSize; }");
        model.Write("two/Two.csproj", Project("net10.0", """<ScalingPipeline Include="../shared study/study.yaml" As="Content" Record="Two.Shared" /><ProjectReference Include="../one/One.csproj" />"""));
        model.Write("two/Uses.cs", "namespace Two; public static class Uses { public static int Of => Shared.Accurate.HiddenSize + One.Uses.Of; }");
        TestRepository.Passed(model.Dotnet("restore", "two/Two.csproj", "-v", "q"));
        TestRepository.Passed(model.Tool("run", "shared study/study.yaml", "--out", "shared study/results"));
        TestRepository.Passed(model.Tool("run", "one/own.yaml", "--out", "one/results"));

        TestRepository.Passed(model.Dotnet("build", "two/Two.csproj", "--no-restore", "-nologo", "-graph", "-m"));

        foreach (string framework in new[] { "net10.0", "net10.0-windows" })
        {
            Assert.True(File.Exists(model[$"one/obj/Debug/{framework}/scaling/study/config/accurate/config.json"]));
            Assert.True(File.Exists(model[$"one/bin/Debug/{framework}/own/config/accurate/config.json"]));
        }

        // Content of a project goes with whoever refers to it.
        Assert.True(File.Exists(model["two/bin/Debug/net10.0/own/config/accurate/config.json"]));
        Assert.True(File.Exists(model["two/bin/Debug/net10.0/study/config/accurate/config.json"]));
        var resources = System.Reflection.Assembly.Load(File.ReadAllBytes(model["one/bin/Debug/net10.0/One.dll"])).GetManifestResourceNames();
        Assert.Contains("study/config/accurate/config.json", resources);

        TestRepository.Passed(model.Dotnet("pack", "one/One.csproj", "--no-build", "-c", "Debug", "-o", "packed", "-nologo"));
    }

    [Fact]
    public void What_an_editor_asks_starts_no_tool_and_sees_what_is_there()
    {
        using var model = Feed.NewExample();
        string[] asked = ["msbuild", "-nologo", "-t:ResolveReferences;Compile", "-p:DesignTimeBuild=true", "-p:BuildingProject=false", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true", "-getItem:Compile", "-getItem:ScalingResult"];

        var before = JsonNode.Parse(TestRepository.Passed(model.Dotnet(asked)).Output)!["Items"]!;
        Assert.False(Directory.Exists(model["obj/Debug/net10.0/scaling"]));
        Assert.Empty(before["ScalingResult"]!.AsArray());

        TestRepository.Passed(model.Examine());
        model.Edit("study.yaml", "size: 973078528", "size: nonsense");
        var after = JsonNode.Parse(TestRepository.Passed(model.Dotnet(asked)).Output)!["Items"]!;
        Assert.Contains(after["Compile"]!.AsArray(), i => i!["Filename"]!.GetValue<string>() == "study.g");
        Assert.NotEmpty(after["ScalingResult"]!.AsArray());
    }

    [Fact]
    public void Results_are_the_items_that_the_project_asks_for()
    {
        using var model = Feed.NewExample();
        string[] uses = ["None", "Content", "EmbeddedResource", "AdditionalFiles"];
        model.Write("ModelRepository.csproj", Project("net10.0", string.Concat(uses.Select(u => $"<ScalingPipeline Include=\"study.yaml\" Name=\"{u}\" As=\"{u}\" LinkBase=\"chosen/{u}\" Stages=\"config\" />"))));

        var items = JsonNode.Parse(TestRepository.Passed(model.Examine([.. uses.Select(u => $"-getItem:{u}")])).Output)!["Items"]!;

        Assert.All(uses, use =>
        {
            var config = items[use]!.AsArray().Single(i => i!["Link"]?.GetValue<string>() == $"chosen/{use}/config/accurate/config.json")!;
            Assert.Equal(model[$"obj/Debug/net10.0/scaling/{use}/config/accurate/config.json"], config["FullPath"]!.GetValue<string>());
            Assert.Equal((use, "config"), (config["Pipeline"]!.GetValue<string>(), config["Stage"]!.GetValue<string>()));
        });
    }

    [Fact]
    public void Run_executes_what_is_missing_once_and_Restore_does_not()
    {
        using var model = Feed.NewRepository();
        model.WriteStudy();
        model.Write("Model.csproj", Project("net10.0;net10.0-windows", """<ScalingPipeline Include="study.yaml" Mode="$(HowMuch)" />"""));
        TestRepository.Passed(model.Dotnet("restore", "-v", "q"));

        var restored = model.Examine("-p:HowMuch=Restore", "-p:TargetFramework=net10.0");
        Assert.NotEqual(0, restored.ExitCode);
        Assert.Contains("study.yaml(1,1): error SCAL9051: ", restored.Output, StringComparison.Ordinal);

        string[] build = ["build", "--no-restore", "-nologo", "-tl:off", "-v:d", "-m", "-p:HowMuch=Run"];
        string ran = TestRepository.Passed(model.Dotnet(build)).Output;
        Assert.Equal(1, ran.Split(": 2 executed, 0 cached").Length - 1);
        Assert.Equal(1, ran.Split(": 2 actions, all cached").Length - 1);
        Assert.True(File.Exists(model["obj/Debug/net10.0/scaling/study/config/accurate/config.json"]));
        Assert.True(File.Exists(model["obj/Debug/net10.0-windows/scaling/study/config/accurate/config.json"]));
        Assert.True(File.Exists(model["results/model/config/accurate/config.json"]));
    }

    [Fact]
    public void Verify_writes_no_result()
    {
        using var model = Feed.NewExample();
        model.Edit("ModelRepository.csproj", "As=\"Content\" Record=\"ModelRepository.Architecture\"", "Mode=\"verify\"");

        TestRepository.Passed(model.Examine());
        Assert.False(Directory.Exists(model["obj/Debug/net10.0/scaling/study"]));
        Assert.Contains("because all output files are up-to-date", TestRepository.Passed(model.Examine("-v:d")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public Task Every_mistake_in_a_project_is_told_at_once()
    {
        using var model = Feed.NewRepository();
        model.Write("study.yaml", "name: study\n");
        model.Write("other/study.yaml", "name: study\n");
        model.Write("Model.csproj", Project("net10.0",
            """
            <ScalingPipeline Include="study.yaml" Mode="Train" />
            <ScalingPipeline Include="other/study.yaml" As="Resource" />
            <ScalingPipeline Include="missing.yaml" />
            <ScalingPipeline Include="study.yaml" Name="verified" Mode="Verify" As="Content" />
            <ScalingPipeline Include="study.yaml" Name="recorded" Record="My Models.Architecture" />
            """));
        TestRepository.Passed(model.Dotnet("restore", "-v", "q"));
        string project = Errors(model.Examine());
        model.Write("Model.csproj", Project("net10.0", """<ScalingPipeline Include="study.yaml" Record="$(Named)" />"""));

        return Snapshot.Match(string.Join("\n\n",
            project,
            Errors(model.Examine("-p:Named=A.B", "-p:Language=VB")),
            Errors(model.Examine("-p:Named=A.B", "-p:TargetFrameworkIdentifier=.NETFramework", "-p:TargetFrameworkVersion=v4.8")),
            Errors(model.Examine("-p:ScalingDotnetHost=/no/dotnet")),
            Errors(model.Examine("-p:ScalingToolFile=/no/dotnet-scaling.dll")),
            Errors(model.Examine($"-p:ScalingToolFile={model["study.yaml"]}"))));

        string Errors(Command command)
        {
            Assert.NotEqual(0, command.ExitCode);
            return string.Join('\n', command.Output.Split('\n').Where(l => l.Contains(": error ", StringComparison.Ordinal)).Select(l => model.Portable(l.Trim())).Distinct());
        }
    }

    [Fact]
    public void A_generated_record_is_compiled_without_a_warning_whatever_is_in_it()
    {
        using var model = Feed.NewRepository();
        model.Write("Model.csproj", Project("net10.0", "").Replace("</PropertyGroup>", "<AnalysisMode>All</AnalysisMode><GenerateDocumentationFile>true</GenerateDocumentationFile></PropertyGroup>", StringComparison.Ordinal));
        model.Write("Nasty.g.cs", CSharpRecordTests.Nasty());

        TestRepository.Passed(model.Dotnet("build", "-nologo", "-v", "q"));
    }

    private static string Project(string frameworks, string items) =>
        $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFrameworks>{frameworks}</TargetFrameworks>
            <EnableWindowsTargeting>true</EnableWindowsTargeting>
            <DisableTransitiveFrameworkReferenceDownloads>true</DisableTransitiveFrameworkReferenceDownloads>
            <Nullable>enable</Nullable>
            <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Scaling.Build" Version="0.1.0" />
            {items}
          </ItemGroup>
        </Project>
        """.Replace(frameworks.Contains(';', StringComparison.Ordinal) ? "\0" : "TargetFrameworks>", "TargetFramework>", StringComparison.Ordinal);
}
