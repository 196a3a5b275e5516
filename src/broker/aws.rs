//! Who we are to AWS, for all that asks it something: queues, brokers that take AWS logins, a registry of schemas.
//!
//! Sources and their order are those of every AWS tool. A profile that is named here comes before keys in the environment,
//! as `--profile` does on the AWS command line: the library's own chain has the keys first, and would act on their account
//! without a word. Limits: which profiles there are is not checked here.

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};

/// What loads the AWS configuration, for that profile and region, or for those that the environment names.
pub(crate) async fn loader(profile: Option<&str>, region: Option<&str>) -> ConfigLoader {
    let mut region = region.map(|name| Region::new(name.to_owned()));
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = profile {
        if region.is_none() {
            region = DefaultRegionChain::builder().profile_name(profile).build().region().await;
        }
        let config = ProviderConfig::without_region().with_region(region.clone());
        let named = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build();
        // A profile may say nothing of credentials; then the machine's own hold.
        let container = EcsCredentialsProvider::builder().configure(&config).build();
        let instance = ImdsCredentialsProvider::builder().configure(&config).build();
        let chain = CredentialsProviderChain::first_try("Profile", named)
            .or_else("EcsContainer", container)
            .or_else("Ec2InstanceMetadata", instance);
        loader = loader.profile_name(profile).credentials_provider(chain);
    }
    match region {
        Some(region) => loader.region(region),
        None => loader,
    }
}
