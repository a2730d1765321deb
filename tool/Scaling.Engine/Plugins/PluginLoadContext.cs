// Loads a plugin with its own dependencies, sharing only the contract.
using System.Reflection;
using System.Runtime.Loader;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>A plugin's assemblies come from its folder, as its deps.json says; the contract and the framework come from the tool.</summary>
/// <param name="assembly">Path of the plugin's main assembly.</param>
internal sealed class PluginLoadContext(string assembly) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(assembly))
{
    private static readonly string ContractName = typeof(IStage).Assembly.GetName().Name!;
    private readonly AssemblyDependencyResolver _resolver = new(assembly);

    /// <summary>Makes one of each public stage in the assembly.</summary>
    /// <exception cref="StageFailedException">SCAL6002: it is no plugin, or a constructor throws.</exception>
    public IReadOnlyList<IStage> CreateStages()
    {
        try
        {
            var types = LoadFromAssemblyPath(assembly).GetExportedTypes()
                .Where(t => t is { IsAbstract: false, IsClass: true } && typeof(IStage).IsAssignableFrom(t))
                .OrderBy(t => t.FullName, StringComparer.Ordinal);
            IStage[] stages = [.. types.Select(t => (IStage)Activator.CreateInstance(t)!)];
            return stages.Length > 0
                ? stages
                : throw new StageFailedException("SCAL6003", $"{Path.GetFileName(assembly)} holds no stage.", "A stage is a public class that derives from Stage<TSettings>.");
        }
        catch (Exception e) when (e is not StageFailedException)
        {
            var cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            throw new StageFailedException("SCAL6002", $"{Path.GetFileName(assembly)} cannot be loaded: {cause.GetType().Name}: {cause.Message}");
        }
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name != ContractName && _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;

    /// <inheritdoc/>
    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
}
