// Packages that tests write: small, real, and of whatever shape is wanted.
using System.IO.Compression;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using NuGet.Frameworks;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Versioning;

namespace Scaling.Plugins.Tests;

/// <summary>A package in the making.</summary>
internal sealed class Nupkg(string id, string version)
{
    private readonly PackageBuilder _builder = new(deterministic: true) { Id = id, Version = NuGetVersion.Parse(version), Description = "for tests", Authors = { "tests" } };
    private readonly List<PackageDependency> _dependencies = [];

    [ModuleInitializer]
    internal static void SetUpNuGet()
    {
        string cache = Directory.CreateTempSubdirectory("scaling-http-cache").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(cache, recursive: true);
        Environment.SetEnvironmentVariable("NUGET_HTTP_CACHE_PATH", cache);
        Environment.SetEnvironmentVariable("NUGET_ENHANCED_NETWORK_RETRY_DELAY_MILLISECONDS", "20");
    }

    /// <summary>An assembly for net10.0 named like the package.</summary>
    public static Nupkg Plugin(string id, string version, string? needs = null) => new Nupkg(id, version).With($"lib/net10.0/{id}.dll", Assembly(id, "1.0.0.0")).Needs("Scaling.Sdk", needs ?? "0.1.0");

    public static Nupkg Library(string id, string version, string? assemblyVersion = null) => new Nupkg(id, version).With($"lib/net8.0/{id}.dll", Assembly(id, assemblyVersion ?? "1.0.0.0"));

    public Nupkg With(string path, byte[] content)
    {
        _builder.Files.Add(new MemoryFile(path, content));
        return this;
    }

    public Nupkg With(string path, string content) => With(path, System.Text.Encoding.UTF8.GetBytes(content));

    public Nupkg Needs(string dependency, string range, string? exclude = null)
    {
        _dependencies.Add(new PackageDependency(dependency, VersionRange.Parse(range), null, exclude?.Split(',')));
        return this;
    }

    /// <summary>Writes <c>id.version.nupkg</c>.</summary>
    /// <returns>Its path.</returns>
    public string Into(string folder)
    {
        _builder.DependencyGroups.Add(new PackageDependencyGroup(NuGetFramework.Parse("net8.0"), _dependencies));
        if (_builder.Files.Count == 0)
        {
            With("readme.txt", "nothing else");
        }

        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{id}.{version}.nupkg");
        using var stream = File.Create(path);
        _builder.Save(stream);
        return path;
    }

    /// <summary>Rewrites one file in a package, and nothing else.</summary>
    public static void Tamper(string nupkg, string entry, string content)
    {
        using var zip = ZipFile.Open(nupkg, ZipArchiveMode.Update);
        zip.GetEntry(entry)?.Delete();
        using var stream = zip.CreateEntry(entry).Open();
        stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
    }

    /// <summary>An assembly with one type, whose <c>Answer</c> is the assembly's version.</summary>
    public static byte[] Assembly(string name, string version)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(name) { Version = Version.Parse(version) }, typeof(object).Assembly);
        var type = assembly.DefineDynamicModule(name).DefineType($"{name}.Thing", TypeAttributes.Public);
        var il = type.DefineMethod("Answer", MethodAttributes.Public | MethodAttributes.Static, typeof(string), []).GetILGenerator();
        il.Emit(OpCodes.Ldstr, version);
        il.Emit(OpCodes.Ret);
        type.CreateType();
        using var bytes = new MemoryStream();
        assembly.Save(bytes);
        return bytes.ToArray();
    }

    private sealed class MemoryFile(string path, byte[] content) : IPackageFile
    {
        public string Path => path;

        public string EffectivePath => path;

        public System.Runtime.Versioning.FrameworkName? TargetFramework => null;

        public NuGetFramework? NuGetFramework => null;

        public DateTimeOffset LastWriteTime => new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public Stream GetStream() => new MemoryStream(content);
    }
}
